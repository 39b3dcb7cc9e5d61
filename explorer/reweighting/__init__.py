"""How blocks blend their branches: read, changed by hand, and taken away one by one."""
