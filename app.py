"""Start Mixscope: `python app.py`, or `python app.py --device cpu`; also the start of a Space."""

import argparse
import os
import sys

from explorer import Explorer
from explorer.engine.limits import Limits
from explorer.errors import ExplorerError
from explorer.ui.temporary_files import temporary_folder


def main() -> None:
    ask = argparse.ArgumentParser(description="See inside vision backbones.")
    ask.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:1; auto takes CUDA if it is there"
    )
    ask.add_argument(
        "--hosted", action="store_true", help="serve strangers: no path of this machine is opened for them"
    )
    asked = ask.parse_args()
    try:
        explorer = Explorer(asked.device, limits=Limits(hosted=asked.hosted or "SPACE_ID" in os.environ))
        with temporary_folder():
            serve(explorer)
    except ExplorerError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


def serve(explorer: Explorer) -> None:
    """Serve the page until the program is asked to end."""
    from explorer.ui.app import LAUNCH, build_app  # now, as Gradio looks for its folder when it is imported

    build_app(explorer).launch(**LAUNCH)


if __name__ == "__main__":
    main()
