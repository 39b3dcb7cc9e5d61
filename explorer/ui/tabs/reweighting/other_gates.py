"""Modulations and attention: where in the picture they act, and what the model says without them."""

import gradio as gr

from explorer.errors import ChoiceError, NoMapError
from explorer.explorer import Explorer
from explorer.figures.colour import Scale, painted, scale_of
from explorer.figures.gates import gate_rows
from explorer.figures.heatmap import heatmap
from explorer.figures.raster import data_uri
from explorer.reweighting.gates import Gate
from explorer.reweighting.size_maps import SizeMap, size_map
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import Menu
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.selection import Selection
from explorer.ui.tabs.reweighting import gate_lens
from explorer.ui.tabs.reweighting.gated import OTHERS, chosen_gate, found_gates, none_of, words
from explorer.ui.tabs.reweighting.lab import Lab
from models.probe import Kind

KINDS = {Kind.MODULATION: "modulation", Kind.ATTENTION: "attention"}


def found(explorer: Explorer, selection: Selection, name: str | None) -> Gate | None:
    return chosen_gate(found_gates(explorer, selection, OTHERS), name)


def mapped(explorer: Explorer, selection: Selection, gate: Gate) -> SizeMap | None:
    """Where it acts; None where it has no places."""
    try:
        return size_map(selection.run(explorer), gate)
    except NoMapError:
        return None


def draw(explorer: Explorer, selection: Selection, gate: str | None) -> tuple[str]:
    chosen = found(explorer, selection, gate)
    return (sentence(none_of(OTHERS)) if chosen is None else page(explorer, selection, chosen),)


def page(explorer: Explorer, selection: Selection, chosen: Gate) -> str:
    made = mapped(explorer, selection, chosen)
    scale = None if made is None else scale_of(made.values, signed=False)
    picture = selection.cropped(explorer)
    return render(
        "other_gates",
        title=words(chosen.name).capitalize(),
        gate=chosen,
        kind=KINDS[chosen.kind],
        made=made,
        scale=scale,
        pixels=data_uri(painted(made.values, scale)) if made is not None and scale is not None else "",
        picture=data_uri(picture),
        ratio=f"{picture.shape[1]} / {picture.shape[0]}",
        channels=data_uri(painted(chosen.size[None], channel_scale(chosen))),
        high=channel_scale(chosen).high,
        python=selection.python(
            "run = explorer.inspect(model, picture, weights)",
            f'gate = gate_of(gates(run), "{chosen.name}")',
            "print(gate.values.shape, gate.size)",
            *(["print(size_map(run, gate).values)"] if made else []),
            imports="from explorer.reweighting.gates import gate_of, gates"
            + ("\nfrom explorer.reweighting.size_maps import size_map" if made else ""),
        ),
    )


def channel_scale(gate: Gate) -> Scale:
    return scale_of(gate.size, signed=False)._replace(low=0.0)


def axes_of(gate: Gate, made: SizeMap | None) -> dict[str, str]:
    """What the axes of a saved gate are."""
    whole, one = "row column channel: openness", "channel: openness"
    if gate.kind is Kind.ATTENTION:
        whole, one = "head query key: share", "head: share"
    places = "row column" if made is not None and made.has_places else "query key"
    return {"values": whole, "size": one, "map": f"{places}: {made.unit if made else ''}"}


def save(explorer: Explorer, selection: Selection, kind: str, gate: str | None):
    chosen = found(explorer, selection, gate)
    if chosen is None:
        raise ChoiceError(none_of(OTHERS))
    made = mapped(explorer, selection, chosen)
    name = f"{selection.model}_{chosen.name}"
    if kind == "npz":
        maps = {} if made is None else {"map": made.values}
        return npz(name, axes_of(chosen, made), values=chosen.values, size=chosen.size, **maps)
    title = f"{selection.model}, {words(chosen.name)}"
    if made is None:
        return saved_figure(gate_rows({"": chosen.size}, channel_scale(chosen), title=title), kind, name)
    return saved_figure(heatmap(made.values, title=title, unit=made.unit, signed=False), kind, name)


def build(lab: Lab) -> None:
    with gr.Row(elem_classes="controls"):
        menu = Menu([], label="Gate", elem_id="others-gate", min_width=190)
    view = View(elem_id="others-map")
    quick, _ = gate_lens.build(lab, OTHERS, menu, [view], draw)
    menu.input(**quick)
    lab.saved(view, save, gate=menu)
    lab.remembered |= {"other_gate": menu}
