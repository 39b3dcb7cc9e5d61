"""Stands in for torchvision where none fits the installed torch, so that timm can be imported.

Of torchvision, timm's models need the class of frozen batch norms alone, to tell them from others; all else
is for data sets and augmentation, which nothing here touches.
"""

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

from torch import nn


class FrozenBatchNorm2d(nn.Module):
    """Never built: timm only asks whether a module is one."""


class Anything(type):
    """A class of which every attribute is another one, so that tables of options can be written down."""

    def __getattr__(cls, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        made = Anything(name, (), {})
        setattr(cls, name, made)
        return made


class Stand(ModuleType):
    """A module that has whatever it is asked for."""

    FrozenBatchNorm2d = FrozenBatchNorm2d

    def __getattr__(self, name: str) -> type:
        if name.startswith("__") or name in ("create_feature_extractor", "get_graph_node_names"):
            raise AttributeError(name)
        made = Anything(name, (), {})
        setattr(self, name, made)
        return made


class Finder(MetaPathFinder, Loader):
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] == "torchvision" else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        made = Stand(spec.name)
        made.__path__ = []
        return made

    def exec_module(self, module: ModuleType) -> None:
        pass


def stand_in() -> None:
    """Let `import torchvision` succeed where there is none; a real one is left alone."""
    if find_spec("torchvision") is None:
        sys.meta_path.append(Finder())
