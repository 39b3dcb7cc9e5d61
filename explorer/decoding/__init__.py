"""Whatever somebody uploads -> a decoded picture: hostile until it is one, and no larger than needed."""
