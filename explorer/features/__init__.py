"""What feature maps look like, which channels matter, and how layers of two models compare."""
