"""By which way places of a map reach each other: attention, learned matrices, shifts, receptive fields."""
