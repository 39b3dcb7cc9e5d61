"""Ways to look at one block that blends: a lens a file."""
