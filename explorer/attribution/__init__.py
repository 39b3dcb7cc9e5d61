"""Which parts of a picture a class owes its logit to, and how far that can be trusted."""
