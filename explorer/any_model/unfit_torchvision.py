"""Lets timm be imported beside a torchvision that was compiled for another torch than the one installed.

The torchvision of PyPI is compiled for the torch of PyPI. Beside a torch for the CPU its compiled part is not
loaded, and importing it ends where it says what shapes two operators give that nobody has defined. Models of
timm call neither; once the names are known, everything else works. Calling one says that it has no kernel.
"""

from functools import lru_cache

import torch

NAMES = ("nms", "qnms")  # whose shapes are told at import, in torchvision/_meta_registrations.py


@lru_cache(maxsize=1)
def define_names() -> torch.library.Library:
    """The library that has them; they are forgotten with it. Once a process."""
    library = torch.library.Library("torchvision", "DEF")
    for name in NAMES:
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library
