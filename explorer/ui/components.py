"""One view: a title, what is seen, how to read it, and ways to take it along.

The page's own HTML is made by Jinja templates, which escape everything; what a visitor does in it comes
back as the events `pick` and `save`.
"""

import json
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from explorer.figures.colour import branch_colours, gradient, ink
from explorer.figures.raster import data_uri, thumbnail_uri
from explorer.ui.glossary import terms_of
from explorer.ui.selection import PICK
from models.block_settings import printed
from models.layer_names import short


def percent(share: float) -> str:
    """Whole percents; two digits below one."""
    if 0 < share < 1e-4:
        return "< 0.01\u2009%"
    return f"{100 * share:.0f}\u2009%" if share >= 0.01 or share == 0 else f"{100 * share:.2g}\u2009%"


def signed(value: float) -> str:
    """Two digits after the point; one digit in all where those would be zeros."""
    return plain(value, "+.2f") if abs(value) >= 0.005 or not value else f"{value:+.0e}"


def plain(value: float, form: str) -> str:
    """A number as `form` says; what is rounded to nothing has no minus."""
    text = f"{value:{form}}"
    return text if float(text) else f"{0.0:{form}}"


TABS = Path(__file__).parent / "tabs"
TEMPLATES = Environment(
    loader=FileSystemLoader([Path(__file__).parent / "templates", *TABS.glob("*/templates")]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.globals |= {
    "gradient": gradient,
    "branch_colours": branch_colours,
    "data_uri": data_uri,
    "ink": ink,
}
TEMPLATES.filters |= {
    "short": short,
    "number": lambda value: plain(value, ".3g"),
    "plain": plain,
    "terms": terms_of,
    "percent": percent,
    "signed": signed,
    "embedded": thumbnail_uri,
    "printed": printed,  # a hyper-parameter
    "named": lambda stem: stem.partition("-")[2].replace("-", " "),  # of an example
}

EVENTS = ("pick", "save", "stop", "more", "link")
# A button with `data-pick` or another of `EVENTS` raises that event; the attribute holds its data as JSON.
# A button with `data-place` is a map of `data-rows` x `data-columns` cells: where it is clicked, or to where
# the arrow keys go from the cell `data-row`, `data-column`, comes back as the event `place` with the shares
# `row` and `column` of the middle of that cell. What each event told last is kept for `View.hands_on`, and of
# a place also how a link says it, in `at`.
LISTEN = """
const told = ((window.told ??= {})[VIEW] ??= {});
const raise = (name, data) => {
  told[name] = 'row' in data ? {...data, at: `${data.row.toFixed(4)},${data.column.toFixed(4)}`} : data;
  trigger(name, data);
};
const place = (map, row, column) => {
  const {rows, columns} = map.dataset;
  const inside = (cell, all) => Math.min(Math.max(Math.floor(cell), 0), all - 1);
  Object.assign(map.dataset, {row: inside(row, rows), column: inside(column, columns)});
  raise('place', {
    row: (Number(map.dataset.row) + 0.5) / rows,
    column: (Number(map.dataset.column) + 0.5) / columns,
  });
};
element.addEventListener('keydown', event => {
  const map = event.target.closest('[data-place]');
  const step = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
  if (!map || !step) return;
  event.preventDefault();
  place(map, Number(map.dataset.row) + step[0], Number(map.dataset.column) + step[1]);
});
element.addEventListener('click', event => {
  const map = event.target.closest('[data-place]');
  if (map) {
    const box = map.getBoundingClientRect();
    if (event.detail) place(map, (event.clientY - box.top) / box.height * map.dataset.rows,
                            (event.clientX - box.left) / box.width * map.dataset.columns);
    return;
  }
  const button = event.target.closest('button');
  if (!button || button.disabled) return;
  const name = EVENTS.find(name => name in button.dataset);
  if (!name) return;
  const all = name === 'pick' ? element.querySelectorAll('[data-pick]') : [];
  all.forEach(b => b.setAttribute('aria-pressed', b === button));
  const asked = JSON.parse(button.dataset[name] || '{}');
  if (name === 'save') asked.chinese = document.documentElement.lang.startsWith('zh');
  raise(name, asked);
});
""".replace("EVENTS", str(list(EVENTS)))


class View(gr.HTML):
    """HTML made by `render`, whose buttons raise the events of `EVENTS`, and whose maps raise `place`."""

    def __init__(self, value: str = "", **kwargs) -> None:
        listen = LISTEN.replace("VIEW", json.dumps(kwargs.get("elem_id")))
        super().__init__(value, js_on_load=listen, apply_default_css=False, **kwargs)

    def hands_on(self, event: str, name: str, control: Component) -> Any:
        """Set a control to what the last event of that kind told under that name; gives what listens.

        The server is not asked: its answers to two quick choices may come in the other order.
        """
        script = f"() => window.told[{json.dumps(self.elem_id)}].{event}.{name}"
        return getattr(self, event)(None, None, control, js=script, **PICK)

    def get_block_name(self) -> str:
        return "html"


def render(template: str, **values) -> str:
    return TEMPLATES.get_template(f"{template}.html").render(template=template, **values)


def sentence(text: str) -> str:
    """A view that has nothing to show, and says why."""
    return render("sentence", text=text)
