"""The "Overview" tab: the whole story of one picture in one screen, each part a door to its tab."""

from collections.abc import Iterator

import gradio as gr
import numpy as np

from explorer.attribution.registry import METHODS, Attribution
from explorer.capture import Run
from explorer.engine.engine import SINGLE
from explorer.engine.model_store import Loaded
from explorer.explorer import Explorer
from explorer.features.feature_maps import feature_map, milestones, pca_colour
from explorer.figures.colour import painted, scale_of
from explorer.figures.raster import data_uri
from explorer.pictures import from_image
from explorer.predictions import Prediction, predictions
from explorer.reweighting.branch_weights import branch_weights
from explorer.ui.components import View, render, sentence
from explorer.ui.picture_upload import as_seen
from explorer.ui.selection import QUICK, Asked, Rail, Tab, bound
from explorer.ui.throttle import paced
from models.costs import multiply_adds

SMALL_MODEL = 2_000_000  # parameters up to which a path integral is as good as instant


def draw(explorer: Explorer, asked: Asked) -> Iterator[str]:
    """First everything one pass tells, made once, then the attribution as it refines."""
    loaded, run = asked.loaded(explorer), asked.run(explorer)
    if not loaded.labels:
        yield sentence(f"{SINGLE} Its maps are in the tab Maps, its branches in Reweighting.")
        return
    image, _ = explorer.image(asked.model, asked.open(), asked.weights)
    blocks = branch_weights(run)
    story = {
        "image": data_uri(from_image(image, loaded.preprocess)),
        "size": image.shape[-2:],
        "picture": data_uri(as_seen(asked.open(), loaded.preprocess)),
        "predictions": told(run, loaded, asked.target),
        "facts": facts(explorer, loaded, asked.pass_seconds(explorer)),
        "stages": [stage(run, layer) for layer in milestones(run)],
        "blocks": blocks,
        "branches": blocks[0].branches if blocks else (),
        "mixing": loaded.card.mixing,
    }
    yield render("overview", **story, found=None)
    method = "integrated_gradients" if loaded.parameters <= SMALL_MODEL else "grad_cam"
    parts = explorer.attribute(asked.model, asked.open(), asked.weights, method=method, target=asked.target)
    for part in paced(parts):
        yield render("overview", **story, found=drawn(part))


def told(run: Run, loaded: Loaded, target: int | None) -> tuple[Prediction, ...]:
    """The likeliest classes, and the one to explain where it is not among them."""
    ranked = predictions(run.logits, loaded.labels, most=len(loaded.labels))
    return ranked[:5] + tuple(one for one in ranked[5:] if one.index == target)


def facts(explorer: Explorer, loaded: Loaded, seconds: float) -> list[tuple[str, str]]:
    height, width = loaded.preprocess.shape
    return [
        ("Backbone", loaded.card.name),
        ("Parameters", f"{loaded.parameters / 1e6:.2f} M"),
        ("Multiply-adds", f"{multiply_adds(loaded.card.name) / 1e9:.2f} G"),
        ("Input", f"{height} × {width}"),
        ("One pass", f"{1000 * seconds:.0f} ms"),
        ("Device", str(explorer.device)),
        ("Classes", str(len(loaded.labels))),
    ]


def stage(run: Run, layer: str) -> dict:
    found = feature_map(run, layer)
    rows, columns, channels = found.values.shape
    return {
        "layer": layer,
        "pixels": data_uri((255 * pca_colour(found)).round().astype(np.uint8)),
        "size": f"{rows} × {columns} × {channels}",
    }


def drawn(part: Attribution) -> dict:
    scale = scale_of(part.values, signed=part.signed)
    return {
        "title": METHODS[part.method].title,
        "label": part.label,
        "pixels": data_uri(painted(part.values, scale)),
        "done": part.done,
        "total": part.total,
        "low": scale.low,
        "high": scale.high,
        "signed": part.signed,
    }


def build(explorer: Explorer, rail: Rail, turn: gr.Textbox) -> tuple[View, Tab]:
    view = View(elem_id="overview")
    event = turn.change(
        bound(draw, explorer),
        rail.inputs,
        view,
        **{**QUICK, "show_progress": "minimal"},
    )
    return view, Tab(running=[event])
