"""Every Save of the page says what it is of: model, weights, class, picture, settings, axes and units."""

import io
import json
import re
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import gradio as gr
import matplotlib
import numpy as np
import pytest
from PIL import Image

from explorer.report import figure_words
from explorer.ui.app import build_app
from models.registry import ASSETS, Preprocess, UnknownModelError, card
from tests.foreign import SIDE, SqueezeExcite, made
from tests.test_printed_python import STAR, start

ROOT = ASSETS.parent
GATED = "squeezed to be saved"

# The npz of each view, and a model that has something to be saved there.
MODELS = {
    **dict.fromkeys(("overview", "grid", "large", "numbers", "similar-places", "depth"), "vip_nano"),
    **dict.fromkeys(("strip", "inside", "where", "what-if", "knock-out", "two", "survey"), "vip_nano"),
    **dict.fromkeys(("attribution", "side", "truth", "protocols", "verdicts", "walk"), "vip_nano"),
    **dict.fromkeys(("field", "growth", "versus-maps", "versus-layers", "versus-costs"), "vip_nano"),
    **dict.fromkeys(("gates", "gate", "gates-what-if", "gates-table"), GATED),
    **dict.fromkeys(("others-what-if", "others-table", "others-map", "attention-from"), "mobilevit_nano"),
    "matrix-all": "mixer_nano",
    "shifts": "as_mlp_nano",
    "literal-shift": "s2mlp_nano",
}
# Saved as pixels alone, and as a drawing too.
PICTURES = ("grid", "large", "similar-places", "attribution", "field")
DRAWINGS = {
    **dict.fromkeys(
        ("strip", "inside", "where", "knock-out", "two", "depth", "growth", "survey"), "vip_nano"
    ),
    **dict.fromkeys(
        ("versus-maps", "versus-layers", "versus-costs", "matrix-all", "matrix-large"), "vip_nano"
    ),
    **dict.fromkeys(("gates", "gates-table"), GATED),
    **dict.fromkeys(("others-table", "others-map", "attention-from"), "mobilevit_nano"),
}
NAMES = f"{GATED}|inner fc"  # of models and their parts, which are in no language
# One is saved as a picture only; the curves of the next take ten seconds; the last shows nothing until a
# number is pressed (tests/test_behind.py saves it).
LEFT_OUT = {"matrix-large", "score", "behind"}


@pytest.fixture(scope="module")
def page(explorer):
    try:
        card(GATED)  # tests of another file came between, and this is made once more
    except UnknownModelError:
        explorer.add(made(SqueezeExcite), GATED, Preprocess(size=SIDE))
    return build_app(explorer)


@pytest.fixture(scope="module")
def saves(page) -> dict:
    """What listens to the Save of each view, by the name of the view."""
    return {
        page.blocks[block].elem_id: listener
        for listener in page.fns.values()
        for block, event in listener.targets
        if event == "save"
    }


def saved(listener, kind: str, model: str, *, chinese: bool = False) -> bytes:
    """The file a Save gives as the page stands at first, with one quick method."""
    rail = [STAR, model, "random" if model == GATED else "scenes", "", -1, ""]
    values = [one.value if isinstance(one, gr.State) else start(one) for one in listener.inputs[len(rail) :]]
    quick = [["saliency"] if isinstance(one, list) and "saliency" in one else one for one in values]
    path, _ = listener.fn(SimpleNamespace(kind=kind, chinese=chinese), *rail, *quick)
    return Path(path).read_bytes()


def test_no_two_parts_of_the_page_have_one_name(page):
    names = [block.elem_id for block in page.blocks.values() if getattr(block, "elem_id", None)]
    assert sorted(names) == sorted(set(names))


def test_every_save_is_looked_at(saves):
    assert set(saves) == set(MODELS) | LEFT_OUT


@pytest.mark.parametrize("view", MODELS)
def test_an_npz_says_what_it_is_of_and_what_each_axis_and_number_means(saves, view):
    with np.load(io.BytesIO(saved(saves[view], "npz", MODELS[view]))) as kept:
        about = json.loads(str(kept["about"]))
        shapes = {name: kept[name].shape for name in kept.files if name != "about"}
    assert about["model"] == MODELS[view]
    assert about["weights"] in ("scenes", "random")
    assert about["picture"] == "assets/examples/2-star.png"
    assert about["class"]
    assert str(ROOT) not in json.dumps(about["settings"])
    assert set(about["arrays"]) == set(shapes)
    told = {name: (len(one["axes"]), bool(one["unit"])) for name, one in about["arrays"].items()}
    assert told == {name: (len(shape), True) for name, shape in shapes.items()}


@pytest.mark.parametrize("view", PICTURES)
def test_a_png_says_the_same_in_its_texts(saves, view):
    with Image.open(io.BytesIO(saved(saves[view], "png", "vip_nano"))) as picture:
        picture.load()
        texts = picture.text
    assert texts["model"] == "vip_nano"
    assert texts["class"] == "star"
    assert "settings" in texts


@pytest.mark.parametrize("view", DRAWINGS)
def test_an_svg_says_the_same_in_its_metadata_and_its_words_in_chinese(saves, view):
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        drawing = ElementTree.fromstring(saved(saves[view], "svg", DRAWINGS[view], chinese=True))
    about = json.loads(drawing.findtext(".//{http://purl.org/dc/elements/1.1/}description"))
    assert about["model"] == DRAWINGS[view]
    assert about["class"]
    assert about["picture"] == "assets/examples/2-star.png"
    assert str(ROOT) not in json.dumps(about)
    if figure_words.font():
        words = [text.text or "" for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
        assert [one for one in words if re.search("[a-z]+ [a-z]+", re.sub(NAMES, "", one))] == []


@pytest.mark.parametrize("kind", ["png", "npz"])
@pytest.mark.parametrize("view", ["strip", "inside", "two", "gates-table", "attention-from", "matrix-all"])
def test_of_a_model_that_has_nothing_for_a_view_nothing_is_saved_with_a_sentence(saves, view, kind):
    with pytest.raises(gr.Error, match=r"nothing to save|no channel gates"):
        saved(saves[view], kind, "fasternet_nano")
