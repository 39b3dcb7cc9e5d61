"""Models nobody prepared for this program: their layers and gates are found by watching a pass."""
