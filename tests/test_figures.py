"""Figures draw what was computed, on two scales, and leave nothing behind."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from explorer.figures.colour import BRANCH_COLOURS, Scale, branch_colours, gradient, painted, scale_of
from explorer.figures.gates import gate_rows
from explorer.figures.heatmap import heatmap
from explorer.figures.maps import rows_of_maps, table
from explorer.figures.mosaic import in_a_row
from explorer.figures.raster import data_uri, png, sprite
from explorer.figures.shares import across_depth, inside_block, over_training

SIGNED = np.array([[-1.0, 0.0], [0.5, 3.0]])
FLOATS = arrays.arrays(np.float32, (3, 4), elements=st.floats(-1e6, 1e6, width=32))


def test_signed_maps_are_symmetric_about_zero():
    (drawn,) = heatmap(SIGNED, title="t", unit="logit", signed=True).axes[0].images
    assert drawn.get_clim() == (-3.0, 3.0)
    assert drawn.get_cmap().name == "RdBu_r"


def test_unsigned_maps_span_their_own_range():
    (drawn,) = heatmap(SIGNED, title="t", unit="logit", signed=False).axes[0].images
    assert drawn.get_clim() == (-1.0, 3.0)
    assert drawn.get_cmap().name == "viridis"


def test_values_are_drawn_as_they_are():
    figure = heatmap(SIGNED, title="Channel 3", unit="activation", signed=True)
    (drawn,) = figure.axes[0].images
    np.testing.assert_array_equal(drawn.get_array(), SIGNED)
    assert drawn.get_interpolation() == "none"
    assert figure.axes[0].get_title() == "Channel 3"
    assert figure.axes[1].get_ylabel() == "activation"


def test_the_bars_of_a_block_are_its_shares_end_to_end():
    means = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    figure = across_depth(["first", "second"], ("height", "width", "channel"), means, title="t")
    (axes,), (legend,) = figure.axes, figure.legends
    for index, bars in enumerate(axes.containers):
        np.testing.assert_allclose([bar.get_width() for bar in bars], means[:, index])
        np.testing.assert_allclose([bar.get_x() for bar in bars], means[:, :index].sum(axis=1))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["first", "second"]
    assert [text.get_text() for text in legend.get_texts()] == ["height", "width", "channel"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1], "the first block is on top"


def test_gates_are_rows_of_one_width_on_one_scale():
    rows = {"first": np.array([0.1, 0.9]), "second": np.array([0.2, 0.4, 1.0])}
    *strips, bar = gate_rows(rows, Scale(0, 1, signed=False), title="t").axes
    for axes, (name, values) in zip(strips, rows.items(), strict=True):
        (drawn,) = axes.images
        np.testing.assert_array_equal(drawn.get_array(), values[None])
        assert drawn.get_clim() == (0, 1)
        assert [label.get_text() for label in axes.get_yticklabels()] == [name]
    assert bar.get_ylabel() == "open"


def test_inside_a_block_shares_go_from_zero_to_one():
    values = np.array([[0.9, 0.1], [0.1, 0.9]])
    (drawn,) = inside_block(values, ("a", "b"), title="t").axes[0].images
    assert drawn.get_clim() == (0, 1)
    np.testing.assert_array_equal(drawn.get_array(), values)


@given(FLOATS)
def test_a_scale_contains_its_data(values):
    for signed in (True, False):
        low, high, _ = scale_of(values, signed=signed)
        assert low <= values.min()
        assert values.max() <= high
        assert not signed or low == -high


def test_zero_is_the_middle_colour_of_a_signed_map():
    middle = painted(np.array([0.0]), scale_of(np.array([-1.0, 7.0]), signed=True))[0]
    assert middle.min() > 235


def test_what_is_no_number_is_grey_and_stretches_nothing():
    values = np.array([0.0, np.nan, 1.0, np.inf])
    assert scale_of(values, signed=False)[:2] == (0, 1)
    np.testing.assert_array_equal(painted(values, Scale(0, 1, signed=False))[[1, 3]], 128)


def test_pixels_on_the_page_are_exact():
    pixels = np.random.default_rng(0).integers(0, 255, (14, 14, 3), dtype=np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png(pixels)))), pixels)
    assert data_uri(pixels).startswith("data:image/png;base64,")


@pytest.mark.parametrize("shared", [True, False])
def test_a_sprite_holds_every_map_at_its_place(shared):
    maps = np.random.default_rng(1).standard_normal((11, 4, 5))
    sheet = sprite(maps, signed=True, shared=shared)
    assert sheet.shape == (2 * 4, 8 * 5, 3)
    for number, (row, column) in ((0, (0, 0)), (9, (1, 1))):
        cell = sheet[4 * row : 4 * row + 4, 5 * column : 5 * column + 5]
        scale = scale_of(maps if shared else maps[number], signed=True)
        np.testing.assert_array_equal(cell, painted(maps[number], scale))
    assert (sheet[4:, 15:] == 255).all(), "empty cells"


def test_the_css_gradient_runs_through_the_scale():
    assert gradient(signed=False).startswith("linear-gradient(to right, rgb(68 1 84)")


def test_branch_colours_differ_in_lightness():
    """Readable in grey: each pair is at least 11 % of the way from black to white apart."""
    light = []
    for colour in branch_colours(tuple(BRANCH_COLOURS)):
        red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        light.append(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    apart = [abs(a - b) for i, a in enumerate(light) for b in light[:i]]
    assert min(apart) > 0.11


def test_drawing_leaves_nothing_in_pyplot():
    heatmap(SIGNED, title="t", unit="", signed=True)
    assert plt.get_fignums() == []


def test_maps_of_branches_share_a_scale_in_each_row():
    size, signed = np.random.default_rng(0).random((3, 4, 5)), np.random.default_rng(1).normal(size=(3, 4, 5))
    figure = rows_of_maps(size, signed, ("height", "width", "channel"), title="where")
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert {image.get_clim() for image in images[:3]} == {(0, size.max())}
    reach = np.abs(signed).max()
    assert {image.get_clim() for image in images[3:6]} == {(-reach, reach)}


def test_a_saved_table_has_a_number_in_every_cell():
    values = np.array([[1.5, -3.0], [0.0, 2.0], [0.25, 1.0]])
    figure = table(values, ["a", "b", "c"], ("x", "y"), title="t", unit="logit")
    assert [text.get_text() for text in figure.axes[0].texts] == ["1.5", "-3", "0", "2", "0.25", "1"]
    assert figure.axes[0].images[0].get_clim() == (-3, 3)


def test_maps_in_a_row_keep_their_own_size_and_scale():
    maps = [np.array([[-2.0, 1.0]]), np.eye(3)]
    figure = in_a_row(maps, ["first", "second"], title="t", signed=True)
    for axes, values, reach in zip(figure.axes, maps, (2, 1), strict=True):
        (drawn,) = axes.images
        np.testing.assert_array_equal(drawn.get_array(), values)
        assert drawn.get_clim() == (-reach, reach)
    assert [axes.get_title() for axes in figure.axes] == ["first", "second"]


def test_shares_over_checkpoints_are_a_line_a_branch():
    each = [
        {"a": {"x": 0.2, "y": 0.8}, "b": {"x": 0.5, "y": 0.5}},
        {"a": {"x": 0.4, "y": 0.6}, "b": {"x": 1, "y": 0}},
    ]
    first, second = over_training(["one", "two"], each).axes[:2]
    assert [list(line.get_ydata()) for line in first.lines] == [[0.2, 0.4], [0.8, 0.6]]
    assert [list(line.get_ydata()) for line in second.lines] == [[0.5, 1], [0.5, 0]]
    assert [first.get_title(), second.get_title()] == ["a", "b"]
