"""How results look in a notebook; `import mixscope` brings it."""

from explorer.notebook import pieces, results, tables

__all__ = ["pieces", "results", "tables"]
