"""Packages that take seconds to import and that few questions need: imported when they are first used.

Two threads that at once import packages which import each other can meet one that is half made; so all that
are imported late take turns.
"""

from importlib import import_module
from threading import RLock
from types import ModuleType

ONE_AT_A_TIME = RLock()


def late(package: str) -> ModuleType:
    """The package or module of a dotted name, for example `scipy.stats`."""
    with ONE_AT_A_TIME:
        return import_module(package)
