"""The parts of the code walk on the page: the source with its tensors, and one line of it large."""
