"""What stands beside a map: its score card, other maps, and what is known where the cause is known."""
