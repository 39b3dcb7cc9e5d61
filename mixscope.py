"""`import mixscope`, from a checkout or installed: the library, and `show` for notebooks."""

import sys

from explorer import Explorer, Options, notebook
from explorer.ui.notebook import show

__all__ = ["Explorer", "Options", "main", "notebook", "show"]


def main() -> int:
    """`mixscope` starts the page; with the name of a question, as `mixscope inspect`, it answers that one."""
    from app import main as page
    from explorer.command_line import main as answer
    from explorer.command_line.commands import COMMANDS

    if len(sys.argv) > 1 and sys.argv[1] in COMMANDS:
        return answer()
    page()
    return 0


if __name__ == "__main__":
    sys.exit(main())
