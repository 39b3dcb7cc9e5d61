"""What a view prints as Python runs as it stands, for every view of the page, and prints something."""

import contextlib
import html
import inspect
import io
import re
from collections.abc import Iterator

import gradio as gr
import pytest

import explorer as library
from explorer.attribution import score_card
from explorer.ui.app import build_app
from explorer.ui.components import View
from explorer.ui.events import Place, Redraw, RedrawBox
from explorer.ui.examples import example
from explorer.ui.glossary import TERMS, terms_of
from explorer.ui.selection import Selection, picture_told
from explorer.ui.tabs.maps import grid
from explorer.ui.tabs.mixing import growth
from models.registry import ASSETS, Preprocess
from tests.foreign import SIDE, SqueezeExcite, made

CODE = re.compile(r"<pre><code>(.*?)</code></pre>", re.DOTALL)
STAR, DISK = str(example("2-star")), str(example("3-disk"))  # the second of two pictures
GATED = "squeezed to be printed"
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]\d+)?")
FRACTION = re.compile(r"-?\d+\.\d+(?:e[-+]\d+)?")
CLASS = 1  # one that no model says of the star
# Views that print words, places or numbers of channels; one of which the test sees the beginning only.
WORDLESS = {"others-map", "grid", "shifts", "verdicts", "score"}
REFINED = ("attribution", "growth", "versus-maps", "versus-costs")
FRAMED = ("How to read this", "data-save")


def settings(fn, model: str) -> Iterator[list]:
    """What a listener may be called with: the rail's start, and each side of a switch."""
    rail = [STAR, model, "scenes", "", CLASS, ""]
    if len(fn.inputs) < len(rail) or not isinstance(fn.inputs[0], gr.State):
        return
    inputs = [one.value if isinstance(one, gr.State) else start(one) for one in fn.inputs]
    values = [*rail, *(DISK if one == STAR else one for one in inputs[len(rail) :])]
    switches = [
        at for at, one in enumerate(fn.inputs) if "lenses" in (getattr(one, "elem_classes", None) or ())
    ]
    for choice in fn.inputs[switches[0]].choices if switches else [(None, None)]:
        yield [choice[1] if at in switches else value for at, value in enumerate(values)]


def start(control):
    """What a handler gets of a control nobody has touched."""
    return Redraw("a link", 1) if isinstance(control, RedrawBox) else control.preprocess(control.value)


def pages(fn, values: list, at: int) -> Iterator[str]:
    """What a listener draws in the output of this place."""
    try:
        made = fn.fn(*values)
        for one in made if inspect.isgeneratorfunction(fn.fn) else [made]:
            shown = one[at] if isinstance(one, tuple | list) else one
            if isinstance(shown, str):
                yield shown
    except gr.Error:
        return


def page_of(app, view: View, model: str) -> str | None:
    """What a view shows that has Python in it: first, or of one that refines, last."""
    for fn in app.fns.values():
        if view in fn.outputs and fn.fn is not None:
            for values in settings(fn, model):
                found = (page for page in pages(fn, values, fn.outputs.index(view)) if CODE.search(page))
                page = next(found, None)
                if page:
                    return [page, *found][-1] if view.elem_id in REFINED else page
    return None


@pytest.fixture(scope="module")
def app(explorer):
    explorer.add(made(SqueezeExcite), GATED, Preprocess(size=SIDE))
    return build_app(explorer)


@pytest.fixture(scope="module")
def shown(app) -> dict[str, str]:
    """Every view of the page that has Python, by its name."""
    views = {one.elem_id: one for one in app.blocks.values() if isinstance(one, View) and one.elem_id}
    found = {}
    for name, view in views.items():
        for model in (GATED,) if name.startswith("gate") else ("vip_nano", "mobilevit_nano", "s2mlp_nano"):
            if name not in found and (page := page_of(app, view, model)):
                found[name] = page
    return found


def test_every_view_is_framed(app, shown):
    targets = [target for fn in app.fns.values() for target in fn.targets]
    saved = {app.blocks[block].elem_id for block, event in targets if event == "save"}
    assert set(shown) == saved - {"behind"}  # which waits for a cell to be pressed, see tests/test_behind.py
    for name, page in shown.items():
        assert [words for words in FRAMED if words not in page] == [], name


@pytest.fixture(scope="module")
def printed(shown, explorer) -> dict[str, str]:
    """What the Python of every view prints."""
    brief = library.Explorer("cpu")  # nobody else is shown its score card, of one random map
    found = {}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(score_card, "RANDOM_MAPS", 1)
        patched.setattr(explorer, "add", lambda *_: GATED)  # it is there already
        patched.chdir(ASSETS.parent)
        for name, page in shown.items():
            patched.setattr(library, "Explorer", lambda name=name: brief if name == "score" else explorer)
            found[name] = run(page)
    return found


def run(page: str) -> str:
    """What the Python of a view prints."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(html.unescape(CODE.search(page)[1]), {"__name__": "__main__", "my_model": None})
    return said.getvalue()


def test_the_python_of_every_view_runs_and_prints(printed):
    assert [name for name, said in printed.items() if not said.strip()] == []


def forms(value: float) -> set[str]:
    """A number as one view or another rounds it."""
    told = {f"{value:{form}}" for form in (".3g", ".2f", "+.2f", ".3f", ".4f", ".4g", "+.3g")}
    return told | {f"{100 * value:.0f}", f"{100 * value:.2g}"}


def test_what_is_printed_stands_on_the_page(shown, printed):
    apart = []
    for name, page in shown.items():
        text = re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<pre.*?</pre>", "", page))
        text += " ".join(re.findall(r'(?:aria-label|title|data-\w+)="([^"]*)"', page))
        numbers = set(NUMBER.findall(html.unescape(text)))
        exact = {f"{float(one):.5g}" for one in numbers}
        said = [float(one) for one in FRACTION.findall(printed[name])]
        if not any(forms(one) & numbers or f"{one:.5g}" in exact for one in said if one not in (0, 1)):
            apart.append(name)
    assert set(apart) <= WORDLESS


@pytest.fixture
def asked(explorer, monkeypatch) -> Selection:
    """The star and one class; the Python of the page asks the explorer of the tests."""
    monkeypatch.setattr(library, "Explorer", lambda: explorer)
    monkeypatch.chdir(ASSETS.parent)
    return Selection(STAR, "vip_nano", "scenes", "", CLASS)


@pytest.mark.parametrize("sort", ["activation", "variance", "relevance", "cause"])
def test_the_order_of_channels_is_printed_as_it_is_shown(explorer, asked, sort):
    page = grid.draw(explorer, asked, layer="stages.0.output", sort=sort, scale="own", page=1)
    shown = re.findall(r'data-channel="(\d+)"', page)
    assert run(page).partition(")")[2].split()[: len(shown)] == shown


def test_the_way_of_a_pixel_through_the_depth_is_printed_as_it_is_shown(explorer, asked):
    chosen = {"layer": None, "place": Place(0.2, 0.7), "channel": "all"}
    *_, page = growth.draw(explorer, asked, direction="feels", **chosen)
    said = run(page)
    shares = [float(one) for one in re.findall(r"([\d.]+)\u2009%", page)]
    told = [float(one) for one in FRACTION.findall(re.sub(r"\S*[a-z]\S*", "", said))]
    assert [f"{100 * one:.2g}" for one in told if one < 0.01] == [f"{one:.2g}" for one in shares if one < 1]


def test_python_names_a_bundled_picture_as_it_lies_and_others_by_a_name_to_fill_in(tmp_path):
    assert picture_told(STAR) == "assets/examples/2-star.png"
    assert picture_told(str(tmp_path / "mine.png")) == "picture.png"
    assert picture_told(None, "other.png") == "other.png"


def test_terms_are_found_in_a_text_and_in_no_part_of_a_word():
    assert terms_of("The logits of a channel") == ["logit", "channel"]
    assert terms_of("investigated by delegates") == []
    assert all(meaning.endswith(".") for _, meaning in TERMS.values())
