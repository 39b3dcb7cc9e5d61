"""Patterns between the axes a found tensor has and those of what it means, see `models.probe.Kind`."""

from dataclasses import dataclass

from explorer.any_model.layouts import Layout


@dataclass(frozen=True)
class Pattern:
    """An einops pattern, and the lengths it cannot infer."""

    text: str
    sizes: dict[str, int]


def of_layout(layout: Layout) -> Pattern:
    """A map or a modulation by place, after the tokens beside the places are taken off."""
    sizes = {"h": layout.grid[0], "w": layout.grid[1]} if "(h w)" in layout.pattern else {}
    return Pattern(f"{layout.pattern} -> b h w c", sizes)


class Axes:
    """The axes of a tensor for one picture, by names: `b` for the pictures, `x1` ... for the others.

    Where windows or heads share an axis with the pictures, it is `(b g)`.
    """

    def __init__(self, shape: tuple[int, ...], batch: int | None) -> None:
        self.sizes: dict[str, int] = {}
        self.names: list[str] = []
        self.own: list[str] = []
        for axis, length in enumerate(shape):
            name = f"x{axis}"
            if axis == batch:
                name = "b" if length == 1 else "(b g)"
                self.sizes |= {} if length == 1 else {"g": length}
            else:
                self.own.append(name)
                self.sizes[name] = length
            self.names.append(name)
        if "(b g)" in self.names:
            self.own.insert(0, "g")

    def pattern(self, right: str) -> Pattern:
        left = " ".join(self.names)
        right = right if "b" in left.replace("(", " ").split() else right.replace("b ", "1 ", 1)
        return Pattern(f"{left} -> {right}", self.sizes)

    def joined(self, *left_out: str) -> str:
        """All axes but some as one."""
        return f"({' '.join(name for name in self.own if name not in left_out)})"


def of_branches(shape: tuple[int, ...], batch: int | None, axis: int) -> Pattern:
    axes = Axes(shape, batch)
    return axes.pattern(f"b x{axis} {axes.joined(f'x{axis}')}")


def of_channels(shape: tuple[int, ...], batch: int | None) -> Pattern:
    axes = Axes(shape, batch)
    return axes.pattern(f"b {axes.joined()}")


def of_attention(shape: tuple[int, ...], batch: int | None) -> Pattern:
    axes = Axes(shape, batch)
    if len(shape) == 2 and batch == 0:  # one query, such as where tokens are pooled
        return axes.pattern(f"b {axes.joined('x1')} 1 x1")
    query, key = f"x{len(shape) - 2}", f"x{len(shape) - 1}"
    return axes.pattern(f"b {axes.joined(query, key)} {query} {key}")


def of_anything(shape: tuple[int, ...], batch: int | None) -> Pattern:
    """A modulation whose layout is not known: its axes as they come, the last ones as one."""
    axes = Axes(shape, batch)
    own = axes.own
    if len(own) <= 1:
        return axes.pattern(f"b 1 1 {own[0] if own else '1'}")
    if len(own) == 2:
        return axes.pattern(f"b {own[0]} 1 {own[1]}")
    if len(own) == 3 and shape[-1] == shape[-2] == 1:
        return axes.pattern(f"b {own[1]} {own[2]} {own[0]}")
    return axes.pattern(f"b {own[0]} {own[1]} ({' '.join(own[2:])})")


def of_blend(shape: tuple[int, ...], gate: tuple[int, ...], branch: int | None = None) -> Pattern:
    """A map that a gate of a shape is applied to: its channels are where the gate is longer than one.

    branch: the axis of the branches, where they are stacked; None for a map of one of them.
    """
    gate = (1,) * (len(shape) - len(gate)) + gate
    rest = [axis for axis in range(len(shape)) if axis != branch]
    batch, *rest = rest
    channels = [axis for axis in rest if gate[axis] > 1]
    places = [axis for axis in rest if gate[axis] == 1]
    sizes = {f"x{axis}": shape[axis] for axis in (*channels, *places)}
    names: dict[int | None, str] = {batch: "b", branch: "k"} | {axis: f"x{axis}" for axis in rest}
    left = " ".join(names[axis] for axis in range(len(shape)))
    rows = " ".join(f"x{axis}" for axis in places[:1]) or "1"
    columns = f"({' '.join(f'x{axis}' for axis in places[1:])})" if len(places) > 1 else "1"
    stacked = "b" if branch is None else "b k"
    return Pattern(f"{left} -> {stacked} {rows} {columns} ({' '.join(f'x{a}' for a in channels)})", sizes)
