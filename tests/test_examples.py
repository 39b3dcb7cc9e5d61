"""The example pictures: where they come from, and which of them fit what a model knows."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from skimage import data

from explorer.errors import ChoiceError
from explorer.ui.examples import EXAMPLES, PHOTOGRAPHS, SCENES, known_to, picked
from explorer.ui.selection import Selection
from models.registry import ASSETS

SOURCES = {"cat": data.chelsea, "espresso": data.coffee, "rocket": data.rocket, "astronaut": data.astronaut}
SOURCES |= {"motorcycle": lambda: data.stereo_motorcycle()[0]}


@pytest.mark.parametrize("name", SOURCES)
def test_a_photograph_is_the_one_its_notice_names(name):
    (path,) = (path for path in PHOTOGRAPHS if path.stem.endswith(name))
    bundled = Image.open(path)
    original = Image.fromarray(SOURCES[name]()).resize(bundled.size, Image.Resampling.LANCZOS)
    apart = np.asarray(original, np.float64) - np.asarray(bundled, np.float64)
    assert np.sqrt((apart**2).mean()) < 8  # of 255, what JPEG leaves
    assert f"{name}" in (ASSETS.parent / "NOTICE").read_text("utf-8")


def test_no_picture_tells_where_or_by_whom_it_was_taken():
    """The bundled files hold pixels and no metadata of cameras."""
    assert all(not Image.open(io.BytesIO(path.read_bytes())).getexif() for path in EXAMPLES)


@pytest.mark.parametrize(
    ("weights", "expected"), [("scenes", SCENES), ("random", SCENES), ("imagenet", PHOTOGRAPHS)]
)
def test_examples_to_average_over_are_like_what_the_weights_know(weights, expected):
    model = "mixer_b16" if weights == "imagenet" else "vip_nano"
    assert known_to(Selection(str(SCENES[0]), model, weights, "", None)) == expected


def test_only_an_example_can_be_picked():
    assert picked(SimpleNamespace(example=SCENES[1].stem)) == str(SCENES[1])
    with pytest.raises(ChoiceError, match="no example called"):
        picked(SimpleNamespace(example="../../etc/passwd"))
