"""What the axes of a tensor mean in a model nobody annotated, told from its shape, and from what gave it.

Known are the layouts that were found for its layers and the shapes of its attention. A shape that fits two
meanings has none: a tensor without names is better than one with wrong ones.
"""

import re
from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

Shape = tuple[int, ...]
Names = tuple[str, ...]
PICTURE: Names = ("b", "c", "h", "w")
FLAT = re.compile(r"\(.*h w\)")  # tokens, with or without others beside them
# Layers of torch that take channels first and leave them there, whatever they are given.
FIRST = (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, nn.InstanceNorm2d, nn.AvgPool2d, nn.MaxPool2d)
POOLS = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.PixelShuffle, nn.PixelUnshuffle, nn.Upsample)


class ShapeAxes:
    """Names of axes: of what a layer or a layer of torch gave, and else by shape."""

    def __init__(self, found: Any, image: Shape) -> None:
        """found: `explorer.any_model.find.Found`. image: shape of the picture, `(1, 3, h, w)`."""
        laid = [one for one in found.layers if one.layout is not None]
        self.grids = {one.layout.grid for one in laid} | {tuple(image[-2:])}
        self.counts = {length: text for one in laid for length, text in tokens_of(one)}
        first = [one for one in laid if one.part is None]
        self.layers = {one.module: (one.shape, tuple(split(one.layout.written))) for one in first}
        shapes = [(1, *one.shape) for one in found.gates if one.kind == "attention" and len(one.shape) == 3]
        self.attentions = set(shapes)
        self.told: dict[tuple, Names] = {}  # of tensors met, by where they lie

    def __call__(self, value: Tensor, module: nn.Module | None = None, name: str = "") -> Names:
        """The names, "" each where they are not known; `module` gave the tensor, where one did."""
        key = value.data_ptr(), value.shape, value.stride()
        if module is not None or key not in self.told:
            self.told[key] = self.named(tuple(value.shape), module, name)
        return self.told[key]

    def named(self, shape: Shape, module: nn.Module | None, name: str) -> Names:
        if len(shape) == 4 and isinstance(module, FIRST + POOLS):
            return PICTURE
        known, names = self.layers.get(name, ((), ()))
        if known == shape and module is not None:
            return names
        single = shape[:1] == (1,)  # of one picture, or these are windows
        fits = {4: self.of_four, 3: self.of_tokens}.get(len(shape) * single, lambda _shape: set())(shape)
        return fits.pop() if len(fits) == 1 else ("",) * len(shape)

    def of_four(self, shape: Shape) -> set[Names]:
        """Where rows and columns could be, or heads, of four axes."""
        shares: set[Names] = {("b", "heads", "queries", "keys")} if shape in self.attentions else set()
        first = {PICTURE} if shape[2:] in self.grids else set()
        last = {("b", "h", "w", "c")} if shape[1:3] in self.grids else set()
        return first | last | shares

    def of_tokens(self, shape: Shape) -> set[Names]:
        """Which axis counts tokens, of three."""
        found: set[Names] = set()
        if shape[1] in self.counts:
            found.add(("b", self.counts[shape[1]], "c"))
        if shape[2] in self.counts:
            found.add(("b", "c", self.counts[shape[2]]))
        return found


def split(written: str) -> Iterable[str]:
    """`b (1 + h w) c` as its axes."""
    return re.findall(r"\([^)]*\)|\S+", written)


def tokens_of(layer: Any) -> Iterable[tuple[int, str]]:
    """How long the axis of the tokens of a layer is, and what it is called."""
    names = split(layer.layout.written)
    return [(n, text) for n, text in zip(layer.shape, names, strict=True) if FLAT.fullmatch(text)]
