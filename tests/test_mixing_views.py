"""The lenses of the tab "Mixing" without a browser: what they save, and the Python they show."""

import html
import io
import re

import numpy as np
import pytest

from explorer.figures.mosaic import mosaic
from explorer.mixing.attention import attention_layers
from explorer.ui.events import Place
from explorer.ui.selection import Selection
from explorer.ui.tabs.mixing import attention, growth, matrices, shifts

STAR = "assets/examples/2-star.png"
LAYER = "stages.2.1.transformer.0.attn.attention"


def selection(model: str) -> Selection:
    return Selection(STAR, model, "scenes", "", None)


def arrays(saved):
    make, _ = saved
    return np.load(io.BytesIO(make({}, False)))


def test_saved_attention_is_that_of_all_offsets_and_heads(explorer):
    saved = attention.save(explorer, selection("mobilevit_nano"), "npz", LAYER, "1", Place(0.3, 0.7))
    assert saved[1] == f"mobilevit_nano_{LAYER}_2_5.npz"
    np.testing.assert_allclose(arrays(saved)["maps"].sum(axis=(2, 3)), np.ones((4, 4)), atol=1e-6)


def test_a_menu_that_is_filled_keeps_what_was_chosen_meanwhile(explorer):
    """It is told a value only where the one asked for is not there; the answer may come late."""

    def told(*chosen):
        _, *menus = attention.fit_and_draw(
            explorer, selection("mobilevit_nano"), *chosen, place=Place(0.3, 0.7)
        )
        return [menu.constructor_args.get("value") for menu in menus]

    assert told(LAYER, "1") == [None, None]
    assert told("a layer of another model", "77") == [LAYER, attention.ALL]


def test_a_saved_strip_along_the_depth_holds_each_layer_and_is_drawn(explorer):
    where = {"direction": "moves", "layer": None, "place": Place(0.5, 0.5), "channel": "all"}
    saved = growth.save(explorer, selection("vip_nano"), kind="npz", **where)
    for layer in explorer.depth("vip_nano", "scenes"):
        assert (
            arrays(saved)[f"{layer}_possible"].shape == arrays(saved)[f"{layer}_measured"].shape == (64, 64)
        )
    make, name = growth.save(explorer, selection("vip_nano"), kind="png", **where)
    assert name == "vip_nano_along_the_depth.png"
    assert make({}, False).startswith(b"\x89PNG")


def test_saved_matrices_and_shifts_are_those_of_the_block(explorer):
    lines = matrices.save(explorer, selection("vip_nano"), "npz", None, "width", "frequency", 1, 0)
    weight = explorer.load("vip_nano", "scenes").model.stages[0].blocks[0].token_mixing.mlp_w.weight
    found = arrays(lines)["values"]
    assert np.linalg.norm(found) == pytest.approx(float(weight.detach().norm()), rel=1e-5)
    units = matrices.save(explorer, selection("mixer_nano"), "npz", None, "writes", "frequency", 1, 0)
    assert arrays(units)["frequency"].shape == (128,)
    moved = shifts.save(explorer, selection("s2mlp_nano"), "npz", "blocks.0")
    assert arrays(moved)["shift_own"].all()


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_every_lens_saves_pictures(explorer, kind):
    start = {"png": b"\x89PNG", "svg": b"<?xml"}[kind]
    for head in ("all", "2"):
        make, _ = attention.save(explorer, selection("mobilevit_nano"), kind, LAYER, head, None)
        assert make({}, False).startswith(start)
    for model in ("vip_nano", "mixer_nano"):
        make, name = matrices.save_part(explorer, selection(model), kind, None, None, "frequency", 1, 3)
        assert make({}, False).startswith(start)
        assert name.endswith(kind)


def test_a_mosaic_has_one_scale_from_zero():
    drawn = mosaic(np.arange(24.0).reshape(2, 3, 2, 2), ["a", "b"], ["x", "y", "z"], title="t", unit="share")
    pictures = [axes.images[0] for axes in drawn.axes if axes.images]
    assert len(pictures) == 6
    assert {one.get_clim() for one in pictures} == {(0, 23)}


@pytest.mark.parametrize(
    ("lens", "model", "rest"),
    [
        (attention, "mobilevit_nano", {"layer": LAYER, "head": "1", "place": Place(0.2, 0.8)}),
        (matrices, "vip_nano", (None, "height", "frequency", 1, 0)),
        (matrices, "mixer_nano", (None, "reads", "frequency", 1, 7)),
        (shifts, "as_mlp_nano", (None,)),
    ],
)
def test_the_python_of_a_lens_runs(explorer, lens, model, rest, capsys):
    named, listed = (rest, ()) if isinstance(rest, dict) else ({}, rest)
    drawn = lens.draw(explorer, selection(model), *listed, **named)
    for page in [drawn] if isinstance(drawn, str) else drawn:
        code = html.unescape(re.search("<code>(.*?)</code>", page, re.DOTALL)[1])
        exec(code.replace('"picture.png"', repr(STAR)), {})
        assert capsys.readouterr().out


def test_what_another_model_left_over_counts_as_the_first(explorer):
    page = attention.draw(
        explorer, selection("mobilevit_nano"), layer="no such layer", head="9", place=Place(1.0, 0.0)
    )
    assert "all heads" in page
    assert "row 7, column 0 of 8 × 8" in page
    assert attention_layers(selection("mobilevit_nano").run(explorer))[0] == LAYER
