"""Surveys that come with the project: what every small model does over the pictures its weights know.

They hold less than others, see `docs/survey.md`; `python -m explorer.survey.shipping` makes them.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from explorer.errors import ExplorerError
from explorer.survey.found import Rows
from models.registry import ASSETS

FOLDER = ASSETS.parent / "surveys"
# By the weights whose pictures they are.
SETS: Mapping[str, str] = MappingProxyType(
    {"cifar10": "10,000 test pictures of CIFAR-10", "scenes": "2,000 held-out scenes"}
)


def path_of(model: str, weights: str) -> Path:
    return FOLDER / f"{model}.{weights}.parquet"


def comes_along(model: str, weights: str) -> bool:
    """Whether there is one of this model with these weights."""
    return weights in SETS and path_of(model, weights).is_file()


@lru_cache(maxsize=16)
def shipped(model: str, weights: str) -> Rows:
    """The rows, 5,000 at most. Raises ExplorerError where there are none."""
    if not comes_along(model, weights):
        raise ExplorerError(f"No survey of {model} with {weights} comes along.")
    return Rows.read(path_of(model, weights))
