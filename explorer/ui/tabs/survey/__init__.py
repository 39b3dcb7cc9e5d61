"""The Survey tab: one model over many pictures."""
