"""The Code walk tab: the source of a block with its tensors, and one line of it large."""
