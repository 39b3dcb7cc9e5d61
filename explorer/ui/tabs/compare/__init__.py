"""The Compare tab: several backbones on one picture."""
