"""The Mixing tab: receptive field, attention, learned matrices, shifts."""
