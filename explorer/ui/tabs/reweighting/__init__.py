"""The Reweighting tab: the blend across depth, and one block in five lenses."""
