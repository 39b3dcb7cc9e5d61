"""How large every listed model is, counted once and shipped, as counting them all takes seconds.

`python -m models.counted` writes assets/sizes.json again; what is not in there is counted when asked for.
"""

import json
from functools import cache, lru_cache

import torch

from models.registry import ASSETS, card, list_models
from models.whole_files import written_whole

PATH = ASSETS / "sizes.json"


@lru_cache(maxsize=256)
def counted(name: str) -> tuple[int, int]:
    """Parameters, and bytes of a file of weights in single precision, with all that is no parameter."""
    found = card(name)
    with torch.device("meta"):
        model = found.own() if found.own else found.build()  # not every model of one's own can be copied
    kept = sum(one.numel() * one.element_size() for one in model.state_dict().values())
    return sum(one.numel() for one in model.parameters()), kept


@cache
def shipped() -> dict[str, tuple[int, int]]:
    """The sizes of assets/sizes.json; none where it is missing or damaged."""
    try:
        return {name: (int(known), int(kept)) for name, (known, kept) in json.loads(PATH.read_text()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def size_of(name: str) -> tuple[int, int]:
    """Parameters and bytes, without counting where they are known."""
    return shipped().get(name) or counted(name)


def parameters(name: str) -> int:
    return size_of(name)[0]


def megabytes(name: str) -> float:
    """Of a file of published weights."""
    return size_of(name)[1] / 1e6


def main() -> None:
    sizes = {name: counted(name) for name in list_models()}
    with written_whole(PATH) as partly:
        rows = (f"  {json.dumps(name)}: {json.dumps(size)}" for name, size in sizes.items())
        partly.write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()
