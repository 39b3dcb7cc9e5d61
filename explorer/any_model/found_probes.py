"""Probes for what was found: they stand nowhere in the model, and tensors are led past them while it runs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from explorer.any_model import patterns
from explorer.any_model.gates import Sighting
from explorer.any_model.layouts import Layout, Seen
from explorer.any_model.patterns import Pattern
from explorer.any_model.places import Change, Place
from explorer.reading import Parts, Reading
from models.probe import Kind, Probe, Role


class FoundProbe(Probe):
    """A probe of a model that declares none."""

    @property
    def is_passed(self) -> bool:
        """Whether somebody hears what passes, or has something else run in its place."""
        listeners = (self._forward_hooks, self._forward_pre_hooks, self._backward_hooks)
        return any(listeners) or "forward" in self.__dict__

    @property
    def is_used(self) -> bool:
        return self.reader is not None or self.is_passed


@dataclass(frozen=True, eq=False)
class Station:
    """A probe, its name, and the places whose tensors are led past it."""

    name: str
    probe: FoundProbe
    places: tuple[Place, ...]
    made: int  # after how many calls of a pass
    layout: Layout | None = None  # only places pass, without the tokens beside them
    copied: bool = True  # before it passes, as the model writes into its own later
    together: bool = False  # the tensors of all places pass as one list, for reading only
    changed_at: Place | None = None  # where what passes can be changed, if not where it is read

    @property
    def is_only_read(self) -> bool:
        return not (self.together or self.probe.is_passed)

    def routes(self) -> dict[Place, Change]:
        if self.is_only_read:
            return dict.fromkeys(self.places, Reading(self.probe, self.read, self.copied))
        if self.together:
            parts: dict[Place, Tensor] = {}
            return {place: gathering(self, place, parts) for place in self.places}
        return dict.fromkeys((self.changed_at,) if self.changed_at else self.places, passing(self))

    def read(self, value: Parts) -> Tensor:
        """What was met at a place, in the axes of the kind and in 32 bits at least."""
        return self.probe.canonical(wide(self.inside(value) if isinstance(value, Tensor) else value))

    def inside(self, value: Tensor) -> Tensor:
        """Without the tokens beside the places."""
        return value[:, self.layout.places] if self.layout and self.layout.tokens else value

    def with_tokens(self, value: Tensor, places: Tensor) -> Tensor:
        """The tokens of one tensor with the places of another."""
        if not (self.layout and self.layout.tokens):
            return places
        tokens, behind = self.layout.tokens, self.layout.behind
        return torch.cat([places, value[:, -tokens:]] if behind else [value[:, :tokens], places], dim=1)


def wide(value: Parts) -> Parts:
    """In 32 bits at least."""
    if not isinstance(value, Tensor):
        return [wide_one(one) for one in value]
    return wide_one(value)


def wide_one(value: Tensor) -> Tensor:
    return value.to(torch.promote_types(value.dtype, torch.float32))


def passing(station: Station) -> Change:
    """Lead a tensor past a probe, in 32 bits at least."""

    def change(value: Tensor) -> Tensor | None:
        own = station.inside(value)
        kind = torch.promote_types(own.dtype, torch.float32)
        shown = own.to(kind, copy=station.copied)
        made = station.probe(shown)
        if made is shown and not (torch.is_grad_enabled() and (shown is not value)):
            return None
        back = made.to(value.dtype, copy=True)
        return station.with_tokens(value, back)

    return change


def gathering(station: Station, place: Place, parts: dict[Place, Tensor]) -> Change:
    """Keep a tensor until those of all places are there, and lead them past the probe as a list."""

    def change(value: Tensor) -> None:
        kind = torch.promote_types(value.dtype, torch.float32)
        parts[place] = value.to(kind, copy=station.copied and not torch.is_grad_enabled())
        if len(parts) == len(station.places):
            station.probe([parts.pop(one) for one in station.places])

    return change


def probe(
    kind: Kind, pattern: Pattern, role: Role = Role.OTHER, branches: tuple[str, ...] = ()
) -> FoundProbe:
    return FoundProbe(kind, pattern.text, role=role, branches=branches, **pattern.sizes)


def of_gate(
    found: Sighting, name: str, seen: Seen, layout: Layout | None, written: Mapping[int, int]
) -> Iterator[Station]:
    """The stations of one gate; `name` is that of the module it is told under.

    written: by which call the model last writes into the values of an origin.
    """
    one, shape, batch = found.candidate, found.shape, seen.batch
    copied = one.is_changed(written)
    if found.kind == "branch" and one.axis is not None:
        yield from of_blend(found, name, batch, written)
    elif found.kind == "attention":
        made = probe(Kind.ATTENTION, patterns.of_attention(shape, batch))
        yield Station(f"{name}.attention", made, found.places, one.made, copied=copied)
    elif found.kind == "modulation":
        pattern = patterns.of_layout(layout) if layout else patterns.of_anything(shape, batch)
        made = probe(Kind.MODULATION, pattern)
        yield Station(f"{name}.modulation", made, found.places, one.made, layout, copied)
    else:
        made = probe(Kind.CHANNEL_GATE, patterns.of_channels(shape, batch))
        yield Station(f"{name}.gate", made, found.places, one.made, copied=copied)


def of_blend(found: Sighting, name: str, batch: int | None, written: Mapping[int, int]) -> Iterator[Station]:
    """Shares, what they are the softmax of, what they blend, and what that gives."""
    one, axis = found.candidate, found.candidate.axis or 0
    count = found.shape[axis]
    names = tuple(f"branch {number + 1}" for number in range(count))
    shares = patterns.of_branches(found.shape, batch, axis)
    yield from of_maps(found, name, names, written)
    logits = probe(Kind.BRANCH_LOGITS, shares, branches=names)
    yield Station(f"{name}.branch_logits", logits, found.entered, one.made)
    weights = probe(Kind.BRANCH_WEIGHTS, shares, branches=names)
    yield Station(f"{name}.branch_weights", weights, found.places, one.made)
    if one.blended:
        use = one.uses[0]
        gate = use.gate_shape
        if use.axis is not None:
            padded = (1,) * (len(use.result_shape) - len(gate)) + gate
            gate = tuple(length for number, length in enumerate(padded) if number != use.axis)
        made = probe(Kind.FEATURE_MAP, patterns.of_blend(one.blended_shape, gate), Role.BLENDED)
        copied = one.is_written(one.blended_origin, written)
        yield Station(f"{name}.blended", made, (one.blended,), one.made + 1, copied=copied)


def of_maps(
    found: Sighting, name: str, names: tuple[str, ...], written: Mapping[int, int]
) -> Iterator[Station]:
    """What is blended: one stack of maps, or a map for each branch."""
    one = found.candidate
    stacked = next((use for use in one.uses if use.axis is not None and not use.matrix), None)
    by_branch: Mapping[int | None, Place] = {
        use.branch: replace(use.place, part=use.other) for use in one.uses if not use.matrix
    }
    if stacked is not None and len(stacked.other_shape) == len(stacked.result_shape):
        pattern = patterns.of_blend(stacked.other_shape, stacked.gate_shape, stacked.axis)
        places: tuple[Place, ...] = (replace(stacked.place, part=stacked.other),)
    elif set(range(len(names))) <= set(by_branch):
        single = patterns.of_blend(one.uses[0].other_shape, one.uses[0].gate_shape)
        left, right = single.text.split(" -> ")
        pattern = Pattern(f"k {left} -> b k {right.removeprefix('b ')}", single.sizes)
        places = tuple(by_branch[number] for number in range(len(names)))
    else:
        return
    made = probe(Kind.BRANCHES, pattern, branches=names)
    copied = any(one.is_written(use.origin, written) for use in one.uses)
    yield Station(f"{name}.branches", made, places, one.made - 1, copied=copied, together=len(places) > 1)
