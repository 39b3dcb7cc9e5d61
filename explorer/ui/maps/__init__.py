"""The views of the Maps tab: the grid, one channel, the layer's numbers, places that are alike, depth."""
