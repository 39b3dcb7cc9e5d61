"""The Attribution tab: a map, its score card, other methods beside it, the truth lab."""
