"""The Compare tab: one picture in several backbones, their layers side by side, and what they cost."""

import gradio as gr

from explorer.engine.model_store import named
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.ui.controls import Control, Several, opened, stopping, switch
from explorer.ui.model_names import LIBRARY, SINGLE, backbones, kind_of
from explorer.ui.selection import PICK, QUICK, Selection
from explorer.ui.tabs.compare import costs, layers, maps
from explorer.ui.tabs.compare.backbones import Bench
from explorer.ui.tabs.registry import BuiltTab, TabParts

FIRST = ["vip_nano", "mixer_nano", "mobilevit_nano", "fasternet_nano"]  # beside what the page opens on
LENSES = {"maps": "Maps", "layers": "Similarity", "costs": "Costs"}
BUILDERS = {"maps": maps.build, "layers": layers.build, "costs": costs.build}


def with_models(lens: str) -> tuple:
    """Similarity chooses its own two backbones."""
    return *opened(BUILDERS, lens), gr.Row(visible=lens != "layers")


class Backbones(Several):
    """A menu of backbones, in which a link may name any that can be had."""

    def knows(self, choice: str) -> bool:
        try:
            return super().knows(choice) or kind_of(named(choice).name) != SINGLE
        except ChoiceError:
            return False


def offered(models: list[str], name: str) -> list[str]:
    """What there is to compare: the listed ones, those compared already, and of timm what is looked at."""
    named = [name] if kind_of(name) == LIBRARY else []
    return list(dict.fromkeys([*backbones(), *named, *models]))


def fitted(explorer: Explorer, selection: Selection, *, models: list[str], first: str, second: str) -> tuple:
    """The three menus."""
    names = offered([*models, first, second], selection.model)
    return (gr.Dropdown(names),) * 3


def build(parts: TabParts) -> BuiltTab:
    """Lay the tab out: the backbones, the switch, and a column for each lens."""
    lens = switch(LENSES, "versus")
    with gr.Row(elem_classes="controls") as row:
        models = Backbones(
            offered([], parts.first),
            value=list(dict.fromkeys([parts.first, *FIRST]))[: len(FIRST)],
            multiselect=True,
            label="Backbones",
            elem_id="compared",
            min_width=320,
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
    menus = {"models": models, "first": named["first"], "second": named["second"]}
    parts.redraw.change(**bench.wired(fitted, **menus), outputs=list(menus.values()), **QUICK)
    remembered = {"compared": models, "versus": lens, **named}
    return BuiltTab(remembered=remembered, running=bench.running)
