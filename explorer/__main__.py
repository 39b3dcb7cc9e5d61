"""The command line: `python -m explorer inspect picture.png`, see `explorer.command_line`."""

import sys

from explorer.command_line import main

if __name__ == "__main__":
    sys.exit(main())
