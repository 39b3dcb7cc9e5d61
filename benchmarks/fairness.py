"""Whether clients wait alike: their medians, and what chance alone would make of the same waits."""

import statistics

import numpy as np


def medians_of(times: dict[int, list[tuple[str, float]]]) -> list[float]:
    """Of each client, the median of its waits, each in medians of all waits for the same endpoint.

    Quick and long questions differ a hundredfold: the median of bare seconds would tell which of the two a
    client happened to ask one more of.
    """
    usual = {
        endpoint: statistics.median(s for told in times.values() for one, s in told if one == endpoint)
        for endpoint in {one for told in times.values() for one, _ in told}
    }
    return [statistics.median(s / usual[one] for one, s in told) for told in times.values() if told]


def by_chance(times: dict[int, list[tuple[str, float]]], deals: int = 500) -> str:
    """The slowest median by the fastest, where answers of an endpoint are dealt out among who asked it."""
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(deals):
        left = {
            endpoint: list(
                rng.permutation([s for told in times.values() for one, s in told if one == endpoint])
            )
            for endpoint in {one for told in times.values() for one, _ in told}
        }
        dealt = {client: [(one, float(left[one].pop())) for one, _ in told] for client, told in times.items()}
        medians = medians_of(dealt)
        ratios.append(max(medians) / min(medians))
    return f"{np.median(ratios):.2f}, 19 of 20 below {np.quantile(ratios, 0.95):.2f}"
