"""`import mixscope`, where the project lies: the library, and `show` to open the page from a notebook."""

from explorer import Explorer, Options
from explorer.ui.notebook import show

__all__ = ["Explorer", "Options", "show"]
