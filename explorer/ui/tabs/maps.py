"""The "Maps" tab: all channels of one layer, and one of them large."""

import gradio as gr
import numpy as np
from einops import rearrange

from explorer.features import SORTS, FeatureMap, feature_map, layers, pca_colour
from explorer.figures.colour import painted, scale_of
from explorer.figures.heatmap import heatmap
from explorer.figures.raster import COLUMNS, png, sprite
from explorer.session import Explorer
from explorer.ui.asked import PICK, QUICK, Asked, Rail, Tab, bound, lane
from explorer.ui.controls import Amount, Menu, Whole
from explorer.ui.save import Saves, npz, saved_figure
from explorer.ui.view import View, picked, render
from explorer.ui.words import short

PAGE = 64  # channels shown at once
OWN, SHARED = "own", "shared"


def found(explorer: Explorer, asked: Asked, layer: str) -> FeatureMap:
    run = asked.run(explorer)
    return feature_map(run, layer if layer in layers(run) else layers(run)[-1])


def shown_channels(features: FeatureMap, sort: str, page: float) -> np.ndarray:
    """Numbers of the channels on one page, best first; pages count from one."""
    order = features.order(sort)
    pages = -(-len(order) // PAGE)
    start = PAGE * (min(max(1, int(page)), pages) - 1)
    return order[start : start + PAGE]


def draw_grid(explorer: Explorer, asked: Asked, layer: str, sort: str, scale: str, page: float) -> str:
    features = found(explorer, asked, layer)
    channels = shown_channels(features, sort, page)
    maps = rearrange(features.values[..., channels], "h w c -> c h w")
    low, high, _ = scale_of(maps, signed=True)
    rows, columns, count = features.values.shape
    return render(
        "grid",
        title="Channels",
        layer=features.layer,
        size=f"{rows} × {columns} × {count}",
        shared=scale == SHARED,
        columns=COLUMNS,
        rows=-(-len(channels) // COLUMNS),
        sprite=sprite(maps, signed=True, shared=scale == SHARED),
        channels=channels.tolist(),
        low=low,
        high=high,
        python=asked.python(
            "run = explorer.inspect(model, picture, weights)",
            f'maps = run.activations["{features.layer}"].value  # [1, h, w, channels]',
        ),
    )


def draw_channel(explorer: Explorer, asked: Asked, layer: str, channel: int) -> tuple:
    """The channel, and its number where the one asked for is outside."""
    features = found(explorer, asked, layer)
    number = min(max(channel, 0), features.channels - 1)
    values = features.channel(number)
    scale = scale_of(values, signed=True)
    page = render(
        "channel",
        title=f"Channel {number}",
        layer=features.layer,
        pixels=painted(values, scale),
        colours=(255 * pca_colour(features)).round().astype(np.uint8),
        low=scale.low,
        high=scale.high,
        mean=float(values.mean()),
        std=float(values.std()),
        python=asked.python(
            f'features = feature_map(explorer.inspect(model, picture, weights), "{features.layer}")',
            f"values, colours = features.channel({number}), pca_colour(features)",
            imports="from explorer.features import feature_map, pca_colour",
        ),
    )
    return page, gr.skip() if number == channel else number


def menus(explorer: Explorer, asked: Asked, layer: str, page: float) -> tuple[gr.Dropdown, gr.Slider]:
    """The layers of this model, keeping the chosen one where it exists, and the pages of its channels."""
    names = layers(asked.run(explorer))
    layer = (
        layer
        if layer in names
        else next(name for name in reversed(names) if name.rpartition(".")[2] == "output")
    )
    pages = -(-found(explorer, asked, layer).channels // PAGE)
    return (
        gr.Dropdown([(short(name), name) for name in names], value=layer),
        gr.Slider(1, max(2, pages), value=min(page, pages), visible=pages > 1),
    )


def picked_channel(event: gr.EventData) -> int:
    return int(picked(event))


def save_grid(explorer: Explorer, asked: Asked, kind: str, layer: str, sort: str, scale: str, page: float):
    features = found(explorer, asked, layer)
    if kind == "npz":
        return npz(f"{asked.model}_{features.layer}", values=features.values)
    maps = rearrange(features.values[..., shown_channels(features, sort, page)], "h w c -> c h w")
    return png(sprite(maps, signed=True, shared=scale == SHARED)), f"{asked.model}_{features.layer}.png"


def save_channel(explorer: Explorer, asked: Asked, kind: str, layer: str, channel: int):
    features = found(explorer, asked, layer)
    number = min(max(channel, 0), features.channels - 1)
    name = f"{asked.model}_{features.layer}_{number}"
    if kind == "npz":
        return npz(name, values=features.channel(number))
    title = f"{features.layer}, channel {number}"
    return saved_figure(
        heatmap(features.channel(number), title=title, unit="activation", signed=True), kind, name
    )


def build(explorer: Explorer, rail: Rail, turn: gr.Textbox, saves: Saves) -> Tab:
    with gr.Row(elem_classes="controls"):
        layer = Menu([], label="Layer", elem_id="layer", min_width=180)
        sort = Menu([(f"by {name}", name) for name in SORTS], value=SORTS[0], label="Order", min_width=140)
        scale = Menu([("each its own", OWN), ("shared", SHARED)], value=OWN, label="Scale", min_width=140)
        page = Amount(1, 2, value=1, step=1, label="Page", visible=False, min_width=120, buttons=[])
        channel = Whole(0, label="Channel", precision=0, elem_id="channel", min_width=100)
    with gr.Row(elem_classes="views"):
        with gr.Column(scale=3, min_width=320):
            grid = View(elem_id="grid")
        with gr.Column(scale=2, min_width=280):
            large = View(elem_id="large")
    many = {
        "fn": bound(draw_grid, explorer),
        "inputs": [*rail.inputs, layer, sort, scale, page],
        "outputs": grid,
        **lane("grid"),
    }
    one = {
        "fn": bound(draw_channel, explorer),
        "inputs": [*rail.inputs, layer, channel],
        "outputs": [large, channel],
        **lane("channel"),
    }
    fitted = gr.on(
        [turn.change, layer.input],
        bound(menus, explorer),
        [*rail.inputs, layer, page],
        [layer, page],
        **QUICK,
    )
    fitted.success(**many).success(**one)
    gr.on([sort.input, scale.input, page.release], **many)
    channel.input(**one)
    grid.pick(picked_channel, None, channel, **PICK).success(**one)
    saves.wire(grid, bound(save_grid, explorer), rail.inputs, [layer, sort, scale, page])
    saves.wire(large, bound(save_channel, explorer), rail.inputs, [layer, channel])
    return Tab(
        address={"layer": layer, "channel": channel, "order": sort, "scale": scale, "sheet": page},
        redraw=[many, one],
    )
