"""The lenses of the tab "Mixing": by which way places reach each other."""
