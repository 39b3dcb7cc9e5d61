"""Start Mixscope: `python app.py`, or `python app.py --device cpu`; also the start of a Space."""

import argparse
import sys

from explorer import Explorer
from explorer.errors import ExplorerError
from explorer.ui.app import LAUNCH, build_app


def main() -> None:
    ask = argparse.ArgumentParser(description="See inside vision backbones.")
    ask.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:1; auto takes CUDA if it is there"
    )
    asked = ask.parse_args()
    try:
        explorer = Explorer(asked.device)
    except ExplorerError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    build_app(explorer).launch(**LAUNCH)


if __name__ == "__main__":
    main()
