"""What should make somebody doubt a map, said beside it."""

import numpy as np

GAP_WORTH_A_WARNING = 0.05  # of the logit's change


def doubt(values: np.ndarray, gap: float | None, change: float | None) -> str | None:
    """One sentence about a map that should not be trusted as it is."""
    if not np.isfinite(values).all():
        return "The map holds values that are not numbers; nothing can be read from it."
    if gap is not None and change is not None and abs(gap) > GAP_WORTH_A_WARNING * abs(change):
        missed = (
            f"The map misses the logit's change of {change:.2f} by {abs(gap) / max(abs(change), 1e-12):.0%}"
        )
        return f"{missed}; more steps or samples help."
    if np.ptp(values) == 0:
        return "The map is the same everywhere; this method says nothing here."
    return None
