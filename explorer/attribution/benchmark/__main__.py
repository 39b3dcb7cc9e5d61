"""`python -m explorer.attribution.benchmark`: the same as `python -m explorer benchmark`."""

import sys

from explorer.command_line import main

if __name__ == "__main__":
    sys.exit(main(["benchmark", *sys.argv[1:]]))
