"""The lenses of the "Compare" tab: one file each."""
