"""The Overview tab: the story of a picture on one screen."""
