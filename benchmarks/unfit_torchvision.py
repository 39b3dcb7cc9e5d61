"""Lets timm be imported beside a torchvision that was compiled for another torch than the one installed.

torchvision's wheel on PyPI is compiled for the torch of PyPI; beside a torch for the CPU its compiled part is
not loaded, and `import torchvision` then fails where it says what shape an operator gives that nobody has
defined. Nothing here calls those operators: once their names are known, everything else works. A page for
people is to have the torchvision that fits, so this is for what measures and tests only.
"""

from functools import lru_cache
from importlib import import_module
from types import ModuleType

import torch

NAMES = ("nms", "qnms")  # whose shapes are told at import, in torchvision/_meta_registrations.py
_DEFINED = []  # names are forgotten with the library that defined them


@lru_cache(maxsize=1)
def real_timm() -> ModuleType:
    """timm itself. Raises ModuleNotFoundError where it is not installed."""
    try:
        import_module("torchvision")
    except RuntimeError:  # operator torchvision::nms does not exist
        _DEFINED.append(torch.library.Library("torchvision", "DEF"))
        for name in NAMES:
            _DEFINED[0].define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return import_module("timm")
