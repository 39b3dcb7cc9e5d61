"""The machinery under every question: models in memory, locks, one pass at a time, answers remembered."""
