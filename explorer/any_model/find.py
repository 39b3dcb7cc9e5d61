"""Find the layers and the gates of a model nobody prepared, by a few passes of made-up images."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatch

import torch
from torch import nn

from explorer.any_model import layouts as laid
from explorer.any_model.chains import layers
from explorer.any_model.foreign import as_taken
from explorer.any_model.found_probes import Station, of_gate
from explorer.any_model.gates import FoundGate, Sighting, hidden_gate, sightings, told
from explorer.any_model.given import heads, sums_inside
from explorer.any_model.layer import Layer
from explorer.any_model.layer_stations import layer_stations, vector_stations
from explorer.any_model.layouts import Layout, Seen, Size, Trial
from explorer.any_model.opened_attention import FAST_PATH
from explorer.any_model.places import GIVEN, Place
from explorer.any_model.trials import tried
from explorer.any_model.watch import Pass, watched
from models.random_state import seeded

Given = str | Mapping[str, str] | None  # a layout for all layers, or by a pattern of names such as "blocks.*"


@dataclass(frozen=True)
class FoundLayer:
    """A module whose output is a layer, and how its axes lie."""

    module: str
    shape: tuple[int, ...]  # for one picture
    layout: Layout | None
    why: str = ""  # where the layout is not known, what was tried
    part: int | None = None  # which of several maps the module puts out; None for the first


@dataclass(frozen=True)
class Found:
    """What a model turned out to have."""

    gates: tuple[FoundGate, ...]
    layers: tuple[FoundLayer, ...]
    stations: tuple[Station, ...]  # in the order of the pass
    trial: Trial  # the sizes of image that were tried
    calls: Mapping[str, frozenset[str]]  # the functions that each module and its parts call, by its name
    is_random: bool = False  # the model draws numbers in every pass; here they are always the same

    @property
    def undecided(self) -> tuple[FoundLayer, ...]:
        return tuple(one for one in self.layers if one.layout is None)


@FAST_PATH.off()
def find(model: nn.Module, size: Size, layout: Given = None) -> Found:
    """Watch a pass for an image of a size, and try what layout its tensors have.

    layout: what cannot be told from passes, or is told wrongly, by hand; see `Explorer.add`.

    The model must be in eval mode. Raises ChoiceError for a layout that is none or does not fit.
    """
    image = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(0))
    weight = next(model.parameters(), image)
    with seeded(0):
        seen = watched(model, as_taken(model, image).to(weight.device))
    outputs = [one for one in layers(seen, model) if has_places(one.shape)]
    outputs += sums_inside(seen, outputs)
    vectors = {Place(run.name, function=GIVEN): run for run in heads(seen, model)}
    gates = sightings(seen, model)
    gates = tuple(as_output(one, seen) for one in gates)
    places = {one.place: one.shape for one in outputs} | {one.places[0]: one.shape for one in gates}
    of_vectors = {place: run.taken[1] for place, run in vectors.items()}
    shown, trial = tried(model, size, {**made_by(gates), **of_vectors, **places})
    gates = tuple(of_places(one, shown[one.places[0]]) for one in gates)
    told_apart = [(one, found_layer(one, shown, trial, layout)) for one in outputs]
    # What is not the map a module puts out is a layer only where it is known how it lies.
    told_apart = [(one, it) for one, it in told_apart if is_own(one) or it.layout is not None]
    stations = [
        *layer_stations([(one, it.layout) for one, it in told_apart], seen),
        *vector_stations({one: run for one, run in vectors.items() if shown[one].batch == 0}, seen),
        *gate_stations(gates, shown, trial, seen.written),
    ]
    taken = {name for name, _ in model.named_modules()}
    stations = [(one, apart(station, taken)) for one, station in stations]
    listed = [
        told(one, canonical_shape(one, station), station.layout is not None)
        for one, station in stations
        if one is not None
    ]
    found = tuple(it for one, it in told_apart if not one.summed)
    ordered = sorted((station for _, station in stations), key=lambda one: one.made)
    return Found(
        (*listed, *map(hidden_gate, seen.hidden)), found, tuple(ordered), trial, seen.calls(), seen.is_random
    )


def apart(station: Station, taken: set[str]) -> Station:
    """A station under a name that no part of the model has."""
    return replace(station, name=f"{station.name}_found") if station.name in taken else station


def canonical_shape(one: Sighting, station: Station) -> tuple[int, ...]:
    """Shape of a gate in the axes of its kind, for one picture and without the axis of the pictures."""
    value = torch.empty(one.shape, device="meta")
    return tuple(station.probe.canonical(station.inside(value)).shape[1:])


def as_output(one: Sighting, seen: Pass) -> Sighting:
    """A gate that is all a module puts out is met there, which is cheaper than at a call."""
    place, value = one.places[0], one.candidate.value
    owner = next(run for run in seen.runs if (run.name, run.visit) == (place.module, place.visit))
    alone = len(one.places) == 1 and place.part is None and one.kind != "branch"
    if not alone or owner.given != one.candidate.given or owner.shape != tuple(value.shape):
        return one
    return replace(one, places=(Place(place.module, place.visit),))


def of_places(one: Sighting, seen: Seen) -> Sighting:
    """What grows with the picture is of places, however few: attention for branches, or a modulation."""
    if len(seen.other) != len(one.shape) or seen.other == one.shape:
        return one
    axis = one.candidate.axis
    if one.kind == "branch" and axis is not None and seen.other[axis] != one.shape[axis]:
        return replace(one, kind="attention")
    return replace(one, kind="modulation") if one.kind == "channel" else one


def made_by(gates: Iterable[Sighting]) -> dict[Place, tuple[int, ...]]:
    """What gates make that are stretched, such as one for each row: it tells which axes theirs are."""
    uses = [one.candidate.uses[0] for one in gates if one.kind == "modulation"]
    return {
        replace(use.place, part=None): use.result_shape
        for use in uses
        if len(use.gate_shape) == len(use.result_shape) and use.gate_shape != use.result_shape
    }


def layout_of(one: Sighting, shown: Mapping[Place, Seen], trial: Trial) -> Layout | None:
    """How a modulation lies, by itself or by what it makes; None where neither tells."""
    made = shown.get(replace(one.candidate.uses[0].place, part=None))
    told = [laid.decided(seen, trial) for seen in (shown[one.places[0]], made) if seen is not None]
    own, *other = [answer if isinstance(answer, Layout) else None for answer in told]
    return own or (other[0] if other and len(one.shape) == 4 else None)


def has_places(shape: tuple[int, ...]) -> bool:
    return sum(length > 1 for length in shape[1:]) > 1


def found_layer(one: Layer, shown: Mapping[Place, Seen], trial: Trial, layout: Given) -> FoundLayer:
    text = layout if isinstance(layout, str) or layout is None else by_name(one.module, layout)
    if text is not None and one.part is None:
        return FoundLayer(one.module, one.shape, laid.given(text, one.shape, trial.own))
    answer = laid.decided(shown[one.place], trial)
    if isinstance(answer, str):
        return FoundLayer(one.module, one.shape, None, answer, one.part)
    return FoundLayer(one.module, one.shape, answer, "", one.part)


def by_name(module: str, layout: Mapping[str, str]) -> str | None:
    return next((text for pattern, text in layout.items() if fnmatch(module, pattern)), None)


def is_own(one: Layer) -> bool:
    return one.part is None and not one.summed


def gate_stations(
    gates: tuple[Sighting, ...], shown: Mapping[Place, Seen], trial: Trial, written: Mapping[int, int]
) -> list[tuple[Sighting | None, Station]]:
    """The stations of every gate, the one that reads the gate itself with the gate."""
    counts: Counter[tuple[str, str]] = Counter()
    made: list[tuple[Sighting | None, Station]] = []
    for one in gates:
        home = one.applied_to if one.kind == "branch" else one.module
        counts[home, one.kind] += 1
        number = counts[home, one.kind]
        alone = home or one.kind  # what the model itself does has no name of a part
        name = alone if number == 1 else f"{home}.{one.kind}_{number}".strip(".")
        seen = shown[one.places[0]]
        layout = layout_of(one, shown, trial) if one.kind == "modulation" else None
        for station in of_gate(one, name, seen, layout, written):
            own = station.places == one.places
            made.append((one if own else None, station))
    return made
