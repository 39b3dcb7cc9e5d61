"""How results look in a notebook; `import mixscope` brings it."""

from explorer.notebook import results

__all__ = ["results"]
