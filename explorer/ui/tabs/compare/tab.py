"""The Compare tab: one picture in several backbones, their layers side by side, and what they cost."""

import gradio as gr

from explorer.ui.controls import Control, Several, opened, stopping, switch
from explorer.ui.model_picker import backbones
from explorer.ui.selection import PICK
from explorer.ui.tabs.compare import costs, layers, maps
from explorer.ui.tabs.compare.backbones import Bench
from explorer.ui.tabs.registry import BuiltTab, TabParts

FIRST = ["vip_nano", "mixer_nano", "mobilevit_nano", "fasternet_nano"]
LENSES = {"maps": "Maps", "layers": "Similarity", "costs": "Costs"}
BUILDERS = {"maps": maps.build, "layers": layers.build, "costs": costs.build}


def with_models(lens: str) -> tuple:
    """Similarity chooses its own two backbones."""
    return *opened(BUILDERS, lens), gr.Row(visible=lens != "layers")


def build(parts: TabParts) -> BuiltTab:
    """Lay the tab out: the backbones, the switch, and a column for each lens."""
    lens = switch(LENSES, "versus")
    with gr.Row(elem_classes="controls") as row:
        models = Several(
            backbones(), value=FIRST, multiselect=True, label="Backbones", elem_id="compared", min_width=320
        )
        stop = gr.Button("Stop", interactive=False, scale=0, min_width=70, elem_id="compare-stop")
    bench = Bench(*(parts.explorer, parts.rail, parts.redraw, lens, parts.saves), models=models, stop=stop)
    named: dict[str, Control] = {}
    shown = []
    for name, build_lens in BUILDERS.items():
        with gr.Column(visible=name == "maps") as column:
            named |= build_lens(bench)
        shown.append(column)
    lens.change(with_models, lens, [*shown, row], **PICK)
    stopping(stop, bench.running)
    remembered = {"compared": models, "versus": lens, **named}
    return BuiltTab(remembered=remembered, running=bench.running)
