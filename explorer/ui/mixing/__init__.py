"""The lenses of the "Mixing" tab."""
