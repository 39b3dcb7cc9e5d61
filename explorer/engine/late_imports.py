"""Packages that take seconds to import and that few questions need: imported when they are first used.

Two threads that at once import packages which import each other can meet one that is half made; so all that
are imported late take turns.
"""

from importlib import import_module
from threading import RLock
from types import ModuleType
from typing import Any

ONE_AT_A_TIME = RLock()


def late(package: str) -> ModuleType:
    """The package or module of a dotted name, for example `scipy.stats`."""
    with ONE_AT_A_TIME:
        return import_module(package)


class Late:
    """Stands for a package until one of its names is asked for: `captum = Late("captum.attr")`."""

    def __init__(self, package: str) -> None:
        self._package = package

    def __getattr__(self, name: str) -> Any:
        return getattr(late(self._package), name)


captum = Late("captum.attr")
