"""What the views show layer after layer or method after method, as endpoints; and changes of gates."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from explorer import answers
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.features.feature_maps import same_stream
from explorer.figures.fields import amplitude
from explorer.mixing.receptive_field import held
from explorer.predictions import predictions
from explorer.reweighting.gate_changes import MODES, Closed, GateChange, fits
from explorer.reweighting.gates import gates
from explorer.ui.endpoint_inputs import class_index, place_at, whole_number
from explorer.ui.endpoint_views import Seen, drawn
from explorer.ui.endpoint_work import whole
from explorer.ui.tabs.attribution.side_by_side import refuse_wrong_number

GAP = 8  # white pixels between two pictures


def in_a_row(pictures: Iterable[np.ndarray]) -> np.ndarray:
    """Pictures uint8 `[h, w, 3]` of any sizes, one after the other on white."""
    made = list(pictures)
    high = max(one.shape[0] for one in made)
    padded = (np.pad(one, ((0, high - one.shape[0]), (0, GAP), (0, 0)), constant_values=255) for one in made)
    return np.concatenate(list(padded), axis=1)[:, :-GAP]


def channel_across_depth(
    explorer: Explorer, picture: str | None, model: str, weights: str, layer: str, channel: float
) -> Seen:
    """One channel in every layer that has as many of them as this one, first to last."""
    number = whole_number(channel, "The channel")
    run = explorer.inspect(model, picture, weights)
    values = {one.layer: one.channel(number) for one in same_stream(run, layer)}
    told = {"channel": number, "layers": {name: one.tolist() for name, one in values.items()}}
    return Seen(told, in_a_row(drawn(one, signed=bool((one < 0).any())) for one in values.values()))


def field_growth(
    explorer: Explorer, picture: str | None, model: str, weights: str, row: float, column: float
) -> Seen:
    """How the receptive field of a place grows through the layers: what is possible, and what holds half."""
    where = place_at(row, column)
    run = explorer.inspect(model, picture, weights)
    told, pictures = [], []
    for layer in explorer.depth(model, weights):
        place = where.cell(*run.activations[layer].value.shape[1:3])
        possible = explorer.theoretical_field(model, weights, layer=layer, place=place)
        energy = explorer.effective_field(model, picture, weights, layer=layer, place=place).energy
        shares = {"possible": float(possible.mean()), "half": float(held(energy, 0.5).mean())}
        told.append({"layer": layer, "place": place, **shares})
        pictures.append(drawn(amplitude(energy), signed=False))
    return Seen({"layers": told}, in_a_row(pictures))


def side_by_side(
    explorer: Explorer, picture: str | None, model: str, weights: str, methods: list, target: float | None
) -> Seen:
    """Up to six attributions of one class; one that means nothing on the model gives its reason instead."""
    index = class_index(target)
    if not isinstance(methods, list) or not all(isinstance(one, str) for one in methods):
        raise ChoiceError("The methods are a list of names.")
    refuse_wrong_number(methods)
    told: dict[str, Any] = {}
    pictures = []
    for method in methods:
        verdict = explorer.preflight(model, weights, method)
        if verdict.level == "meaningless":
            told[method] = verdict.reason
            continue
        found = whole(explorer.attribute(model, picture, weights, method=method, target=index))
        told[method] = answers.attribution(found)
        pictures.append(drawn(found.values, signed=found.signed))
    if not pictures:
        raise ChoiceError(" ".join(told.values()))
    return Seen({"methods": told}, in_a_row(pictures))


def gate_what_if(
    explorer: Explorer,
    picture: str | None,
    model: str,
    weights: str,
    gate: str,
    change: str,
    channel: float | None,
) -> dict:
    """Predictions before and after a gate, "all" of them, or a channel is flattened, opened or closed."""
    before = explorer.inspect(model, picture, weights)
    made = changes(gates(before), gate, change, channel)
    after = explorer.inspect(model, picture, weights, interventions=made)
    labels = explorer.load(model, weights).labels
    return {
        "changed": [one.gate for one in made],
        "before": answers.classes(predictions(before.logits, labels)),
        "after": answers.classes(predictions(after.logits, labels)),
    }


def changes(found, gate: str, change: str, channel: float | None) -> list[GateChange]:
    """What is asked for, gate by gate; a gate that is not there is refused where it is changed."""
    if change not in MODES:
        raise ChoiceError(f"A gate is {', '.join(MODES)}; not {change!r}.")
    if channel is not None and (change != "closed" or gate == "all"):
        raise ChoiceError("A channel alone can be closed, in one gate.")
    if channel is not None:
        return [Closed(gate, whole_number(channel, "The channel"))]
    if gate != "all":
        return [MODES[change](gate)]
    made = [one for here in found if fits(one := MODES[change](here.name), here.kind)]
    if not made:
        raise ChoiceError(f"This model has no gate that can be {change}.")
    return made
