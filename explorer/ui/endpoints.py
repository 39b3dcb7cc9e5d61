"""The HTTP contract: every view as a named endpoint, for `gradio_client` and tools of programs."""

from collections.abc import Callable, Mapping
from functools import partial
from inspect import signature
from typing import Any

import gradio as gr

from explorer.explorer import Explorer
from explorer.ui import endpoint_answers as first
from explorer.ui import endpoint_rows as rows
from explorer.ui import endpoint_tables as tables
from explorer.ui import endpoint_views as views
from explorer.ui.alerts import shown
from explorer.ui.at_once import at_once_where_remembered
from explorer.ui.endpoint_examples import documented, inputs
from explorer.ui.endpoint_inputs import with_names
from explorer.ui.endpoint_work import LANES, SHORT, UNPROBED

VIT = {"model": "mobilevit_nano", "weights": "scenes", "layer": "stages.2.1.transformer.0.attn.attention"}
SHIFTING = {"model": "s2mlp_nano", "weights": "scenes", "block": "blocks.0"}
GATED = {**VIT, "gate": VIT["layer"], "change": "closed"}
# By the name of the endpoint: who answers, and which examples are others than the usual ones.
OFFERED: Mapping[str, tuple[Callable, Mapping[str, str]]] = {
    "models": (first.models, {}),
    "predict": (first.predict, {}),
    "branch_weights": (first.weights_of_branches, {}),
    "what_if": (first.what_if, {}),
    "knock_out": (first.knock_out, {}),
    "attribute": (first.attribute, {}),
    "score_card": (first.score_card, {}),
    "code_walk": (first.code_walk, {}),
    "familiarity": (tables.familiarity, {}),
    "layers": (views.layers, {}),
    "maps": (views.maps, {}),
    "channel": (views.channel, {}),
    "places_alike": (views.places_alike, {}),
    "where": (views.where, {}),
    "two_pictures": (tables.two_pictures, {}),
    "found": (tables.found, {}),
    "gate_effects": (tables.gate_effects, {"model": "mobilevit_nano", "weights": "scenes"}),
    "attribution_map": (views.attribution_map, {}),
    "truth_lab": (tables.truth_lab, {}),
    "protocols": (tables.protocols, {}),
    "fitting_methods": (tables.fitting_methods, {}),
    "layer_numbers": (tables.layer_numbers, {}),
    "receptive_field": (views.receptive_field, {}),
    "sensitivity": (views.sensitivity, {}),
    "attention": (views.attention, VIT),
    "matrices": (tables.matrices, {}),
    "shifts": (tables.shifts, SHIFTING),
    "likeness": (tables.likeness, {}),
    "costs": (tables.costs, {}),
    "channel_across_depth": (rows.channel_across_depth, {}),
    "field_growth": (rows.field_growth, {}),
    "side_by_side": (rows.side_by_side, {}),
    "gate_what_if": (rows.gate_what_if, GATED),
}


def build(explorer: Explorer) -> None:
    """Endpoints have inputs of their own, which nobody sees; each takes those its handler names."""
    with gr.Row(visible=False):
        usual = inputs()
        trigger, answer, drawn = gr.Button(), gr.JSON(), gr.Image(format="png", label="Drawn")
        others = {name: inputs(**examples) for name, (_, examples) in OFFERED.items() if examples}
    for name, (handler, _) in OFFERED.items():
        _, *asked = signature(handler).parameters
        taken = [others.get(name, usual)[one] for one in asked]
        names = tuple(isinstance(one, gr.Textbox) for one in taken)
        seen = signature(handler).return_annotation is views.Seen
        answered = shown(partial(told, partial(handler, explorer), names))
        if taken and name not in UNPROBED:
            answered = at_once_where_remembered(answered)
        trigger.click(
            documented(answered, handler, name),
            taken,
            [answer, drawn] if seen else answer,
            api_name=name,
            **LANES.get(name, SHORT),
        )


def told(handler: Callable, names: tuple[bool, ...], *values: Any) -> Any:
    """The answer, and of a view also its picture."""
    found = with_names(handler, names, *values)
    return (found.told, found.pixels) if isinstance(found, views.Seen) else found
