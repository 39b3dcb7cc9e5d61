"""The report as one HTML file that needs nothing else: it opens offline and prints on A4."""

import io
import json
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure
from PIL import Image

from explorer.attribution.registry import METHODS
from explorer.engine.picture_store import Source
from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.heatmap import heatmap
from explorer.figures.raster import data_uri, uri
from explorer.figures.shares import across_depth
from explorer.predictions import predictions
from explorer.report.figure_words import figure_in_chinese
from explorer.report.language import page_in_chinese
from explorer.report.recipe import Question, Results, asked, written
from explorer.reweighting.branch_weights import branch_weights
from models.costs import multiply_adds
from models.layer_names import short

TEMPLATES = Environment(
    loader=FileSystemLoader(__file__.rpartition("/")[0] or "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
OPACITY = 0.6  # of a map over the picture


def report(
    explorer: Explorer, picture: Source, question: Question, *, chinese: bool = False
) -> tuple[str, dict[str, Any]]:
    """The HTML, and the recipe that stands in it, too. Raises ExplorerError for what cannot be asked."""
    results = asked(explorer, picture, question)
    recipe = written(explorer, picture, question, results)
    loaded = explorer.load(question.model, question.weights)
    seen = explorer.cropped(question.model, picture, question.weights)
    facts = {
        "Model": f"{question.model}, {loaded.card.family}",
        "Weights": question.weights,
        "Parameters": f"{loaded.parameters:,}",
        "Multiply-adds": f"{multiply_adds(loaded.card.name, loaded.preprocess.shape):,}",
        "Input": " × ".join(map(str, loaded.preprocess.shape)),
    }
    html = TEMPLATES.get_template("report.html").render(
        facts=facts,
        paper=loaded.card.paper,
        picture=data_uri(seen),
        predictions=predictions(results.run.logits, loaded.labels),
        method=METHODS[question.method],
        found=results.map,
        heat=drawn(heat_of(results), chinese=chinese),
        overlay=data_uri(over(seen, results)),
        shares=shares_of(question, results, chinese=chinese),
        recipe=json.dumps(recipe, indent=1),
        versions=recipe["versions"],
    )
    return page_in_chinese(html) if chinese else html, recipe


def heat_of(results: Results) -> Figure:
    found, method = results.map, METHODS[results.map.method]
    return heatmap(found.values, title=found.label, unit=method.unit, signed=found.signed)


def over(seen: np.ndarray, results: Results) -> np.ndarray:
    """The map over the part of the picture the model sees, uint8 `[h, w, 3]`, each cell a plain square."""
    found = results.map
    heat = painted(found.values, scale_of(found.values, signed=found.signed))
    size = seen.shape[1], seen.shape[0]
    large = np.asarray(Image.fromarray(heat).resize(size, Image.Resampling.NEAREST))
    return (OPACITY * large + (1 - OPACITY) * seen).round().astype(np.uint8)


def shares_of(question: Question, results: Results, *, chinese: bool) -> str | None:
    """The mean shares of all blocks, drawn; None for a model without split attention."""
    blocks = branch_weights(results.run)
    if not blocks:
        return None
    means = np.stack([block.mean for block in blocks])
    names = [short(block.block) for block in blocks]
    return drawn(across_depth(names, blocks[0].branches, means, title=question.model), chinese=chinese)


def drawn(figure: Figure, *, chinese: bool) -> str:
    """A figure as the address of a PNG that holds it."""
    file = io.BytesIO()
    (figure_in_chinese(figure) if chinese else figure).savefig(file, format="png", dpi=150)
    return uri("png", file.getvalue())
