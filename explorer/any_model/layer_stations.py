"""The probes of layers, of sums inside blocks and of the vectors that heads are given."""

from collections.abc import Iterable, Iterator, Mapping

from explorer.any_model import patterns
from explorer.any_model.found_probes import Station, probe
from explorer.any_model.layer import Layer
from explorer.any_model.layouts import Layout
from explorer.any_model.patterns import Pattern
from explorer.any_model.places import Place
from explorer.any_model.watch import Pass, Ran
from models.probe import Kind


def layer_stations(
    found: Iterable[tuple[Layer, Layout | None]], seen: Pass
) -> Iterator[tuple[None, Station]]:
    for one, layout in found:
        if layout is not None:
            copied = one.given is None or seen.written.get(one.given, -1) > one.made
            yield None, of_layer(one, layout, copied)


def vector_stations(vectors: Mapping[Place, Ran], seen: Pass) -> Iterator[tuple[None, Station]]:
    for number, (place, run) in enumerate(vectors.items(), 1):
        copied = seen.written.get(run.taken[0], -1) > run.begun
        yield None, of_vector(place, number, run.begun, copied)


def of_layer(layer: Layer, layout: Layout, copied: bool) -> Station:
    found = probe(Kind.FEATURE_MAP, patterns.of_layout(layout), layer.role)
    return Station(layer.name, found, (layer.place,), layer.made, layout, copied, changed_at=layer.summed)


def of_vector(place: Place, number: int, made: int, copied: bool) -> Station:
    """What a head is given."""
    name = f"pooled_{number}" if number > 1 else "pooled"
    found = probe(Kind.VECTOR, Pattern("b c -> b c", {}))
    return Station(name, found, (place,), made, copied=copied)
