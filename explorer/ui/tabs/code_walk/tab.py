"""The Code walk tab: every line of a block's source beside the tensors it made of this picture."""

import gradio as gr

from explorer.code_walk.einops_diagram import drawing
from explorer.code_walk.walk import Walk, blocks, first_block
from explorer.explorer import Explorer
from explorer.ui.components import View, render
from explorer.ui.controls import Control, Menu, Whole, offer, progress_on
from explorer.ui.downloads import npz
from explorer.ui.events import MIDDLE, Place, PlaceBox
from explorer.ui.selection import PICK, QUICK, Selection, lane, wired
from explorer.ui.tabs.code_walk import shift_switch
from explorer.ui.tabs.code_walk.follow import Follow
from explorer.ui.tabs.code_walk.lines import rows
from explorer.ui.tabs.code_walk.tensor_pictures import ALL, large
from explorer.ui.tabs.registry import BuiltTab, TabParts
from models.layer_names import short

COLOUR, CHANNEL = "all", "one"


def menu(explorer: Explorer, selection: Selection, part: str | None, step: int) -> tuple:
    """The parts of this model; where the one asked for is not among them, the one to begin with."""
    model = selection.loaded(explorer).model
    kept = part is not None and part in dict(model.named_modules())
    chosen = part if part is not None and kept else first_block(model)
    return listed(explorer, selection, chosen, part), gr.skip() if kept or part is None else 0


def listed(explorer: Explorer, selection: Selection, chosen: str, part: str | None) -> gr.Dropdown:
    """All parts written in our files, and the chosen one, by place and class; `part` was asked for."""
    model = selection.loaded(explorer).model
    known = dict(model.named_modules())
    names = dict.fromkeys([*blocks(model), chosen])
    return offer([(f"{title(name)} · {type(known[name]).__name__}", name) for name in names], chosen, part)


def title(part: str) -> str:
    return short(part) if part else "whole network"


def walked(explorer: Explorer, selection: Selection, part: str | None) -> Walk:
    """The walk through a part; a name left over from another model counts as the one to begin with."""
    loaded = selection.loaded(explorer)
    known = dict(loaded.model.named_modules())
    name = part if part in known else first_block(loaded.model)
    return explorer.code_walk(*selection.question, block=name)


def draw(
    explorer: Explorer,
    selection: Selection,
    *,
    part: str | None,
    step: int,
    look: str,
    channel: int,
    place: Place | None,
) -> tuple:
    """The page, and the step and the part where they are others than asked for."""
    walk = walked(explorer, selection, part)
    now = min(max(step, 0), len(walk.steps) - 1)
    follow = Follow(max(channel, 0) if look == CHANNEL else ALL, place or MIDDLE)
    written = walk.block in blocks(selection.loaded(explorer).model)
    menu = gr.skip() if written else listed(explorer, selection, walk.block, part)
    return page(explorer, selection, walk, now, follow), gr.skip() if now == step else now, menu


def page(explorer: Explorer, selection: Selection, walk: Walk, now: int, follow: Follow) -> str:
    step = walk.steps[now]
    call = walk.calls[step.call]
    return render(
        "walk",
        title=title(walk.block),
        walk=walk,
        call=call,
        way=way(walk, step.call),
        rows=rows(walk, now, follow.channel),
        now=now,
        step=step,
        made=[large(made, follow) for made in step.made],
        drawings=[drawing(pattern, out(step)) for pattern in step.patterns],
        enters=[(first_step(walk, index), walk.calls[index].listing.name) for index in step.enters],
        above=above(walk.block, blocks(selection.loaded(explorer).model)),
        channel=follow.channel,
        python=selection.python(
            f'walk = explorer.code_walk(model, picture, weights, block="{walk.block}")',
            "for step in walk.steps:",
            "    print(step.statement.first, step.statement.source)",
            "    for made in step.made:",
            "        print(made.name, tuple(made.value.shape), made.axes, made.value.mean())",
        ),
    )


def out(step) -> tuple[int, ...]:
    """The shape of what a line's pattern made, where the line made one thing under a name."""
    named = [made for made in step.made if not made.module]
    return tuple(named[0].value.shape) if named and len(step.patterns) == 1 else ()


def way(walk: Walk, call: int | None) -> list[tuple[int, str]]:
    """How one came here: functions from the forward of the block on, each with the step to go back to."""
    found: list[tuple[int, str]] = []
    below = None
    while call is not None:
        index = first_step(walk, call)
        if below is not None:
            index = next(i for i, step in enumerate(walk.steps) if below in step.enters)
        found.insert(0, (index, walk.calls[call].listing.name))
        below, call = call, walk.calls[call].parent
    return found


def first_step(walk: Walk, call: int) -> int:
    return next(i for i, step in enumerate(walk.steps) if step.call == call)


def above(part: str, names: tuple[str, ...]) -> str | None:
    """The smallest part of the network this one belongs to; None for the whole."""
    if not part:
        return None
    around = [name for name in names if name == "" or part.startswith(f"{name}.")]
    return max(around, key=len)


def went(event: gr.EventData) -> tuple:
    """Where a click leads: to a step of this walk, or into another part."""
    part = getattr(event, "part", None)
    return (gr.skip(), int(event.step)) if part is None else (gr.Dropdown(value=part), 0)


def save(explorer: Explorer, selection: Selection, kind: str, part: str | None):
    walk = walked(explorer, selection, part)
    tensors = {
        f"{index:03d} line {step.statement.first} {made.name}": made
        for index, step in enumerate(walk.steps)
        for made in step.made
    }
    named = {name: " ".join(axis or "·" for axis in made.axes) for name, made in tensors.items()}
    axes = {name: f"{one}: activation" for name, one in named.items()}
    values = {name: made.value.numpy() for name, made in tensors.items()}
    return npz(f"{selection.model}_{walk.block or 'network'}_walk", axes, **values)


def controls() -> dict[str, Control]:
    """What is walked through and what its maps show, by the names handlers know them by."""
    with gr.Row(elem_classes="controls"):
        part = Menu([], label="Part", elem_id="part", min_width=220, allow_custom_value=True)
        step = Whole(0, precision=0, visible="hidden", elem_id="step")
        look = Menu(
            [("all channels as colour", COLOUR), ("one channel", CHANNEL)],
            value=COLOUR,
            label="Maps show",
            elem_id="walk-look",
            min_width=190,
        )
        channel = Whole(0, label="Channel", precision=0, visible=False, elem_id="walk-channel", min_width=90)
        place = PlaceBox(MIDDLE, elem_id="walk-place")
    return {"part": part, "step": step, "look": look, "channel": channel, "place": place}


def build(parts: TabParts) -> BuiltTab:
    """Lay the tab out: the part that is walked through, and its source with the tensors."""
    menus = controls()
    part, step, look, channel, place = menus.values()
    shift = shift_switch.build()
    view = View(elem_id="walk")
    drawn = {
        **wired(parts.explorer, parts.rail, draw, **menus),
        "outputs": [view, step, part],
        **lane("walk"),
        **progress_on(view),
    }
    fit = {**wired(parts.explorer, parts.rail, menu, part=part, step=step), "outputs": [part, step]}
    shifts = shift.drawn(parts, part)
    parts.redraw.change(**fit, **QUICK).success(**drawn).success(**shifts)
    gr.on([part.change, shift.written.input], **shifts)
    part.input(lambda: 0, None, step, **PICK).then(**drawn)
    gr.on([look.input, channel.submit, channel.blur], **drawn)
    look.change(lambda chosen: gr.Number(visible=chosen == CHANNEL), look, channel, **PICK)
    view.pick(went, None, [part, step], **PICK).then(**drawn)
    view.hands_on("place", "at", place).then(**drawn)
    parts.saves.wire(view, parts.explorer, parts.rail, save, part=part)
    parts.saves.wire(shift.view, parts.explorer, parts.rail, shift_switch.save, part=part)
    words = {"part": part, "step": step, "walks": look, "follow": channel, "walk_place": place}
    words["shift"] = shift.written
    return BuiltTab(remembered=words)
