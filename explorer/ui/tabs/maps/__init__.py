"""The Maps tab: the channels of one layer, one of them large, similar places, depth."""
