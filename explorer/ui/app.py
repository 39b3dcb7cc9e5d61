"""Puts the page together. Layout only: no tensor and no array is touched here."""

import json
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from explorer.explorer import Explorer
from explorer.figures.colour import ramps
from explorer.ui import address, endpoints, rail
from explorer.ui.admission import Admission
from explorer.ui.components import View, render
from explorer.ui.downloads import Saves
from explorer.ui.ending import Ending
from explorer.ui.events import Redraw, RedrawBox, tell_open_tab
from explorer.ui.first import FIRST, First
from explorer.ui.glossary import TERMS
from explorer.ui.gradio_internals import (
    catch_up_alone,
    end_quietly,
    keep_no_statistics,
    rest_while_idle,
)
from explorer.ui.gradio_scripts import changed_scripts
from explorer.ui.health import HEALTH
from explorer.ui.installed import ICON
from explorer.ui.installed import ROUTES as INSTALLED
from explorer.ui.presence import Presence
from explorer.ui.security import Guard, Page
from explorer.ui.selection import PICK
from explorer.ui.tabs import TABS
from explorer.ui.tabs.registry import BuiltTab, TabParts, TabRow
from explorer.ui.tabs.survey.source import NONE
from models.registry import ASSETS


def script() -> str:
    """What the browser does alone, as one function: the page, its phrases, and the parts of their own."""
    page = (ASSETS / "page.js").read_text("utf-8")
    parts = {"visits": "/* where the visitor was */", "frame": "/* what frames the views */"}
    parts |= {"guides": "/* tour and glossary */", "cursor": "/* one cursor over all views */"}
    for name, place in parts.items():
        page = page.replace(place, (ASSETS / f"{name}.js").read_text("utf-8"))
    page = page.replace("/* the colours of maps, low to high */ {}", json.dumps(ramps()))
    phrases = (ASSETS / "zh.json").read_text("utf-8")
    return page.replace("/* the Chinese of every phrase on the page */ {}", phrases)


THEME = gr.themes.Base(
    primary_hue="indigo",
    neutral_hue="slate",
    radius_size="md",
    font=[
        gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)),
        "Noto Sans SC",
        "system-ui",
        "sans-serif",
    ],
    font_mono=[gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700)), "monospace"],
).set(
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_300",
    body_background_fill="*neutral_50",
    body_background_fill_dark="*neutral_950",
    block_shadow="none",
    block_border_width="1px",
    block_label_text_size="13px",
    button_primary_background_fill="*primary_600",
    button_primary_background_fill_dark="*primary_600",
    button_primary_text_color="white",
)
LAUNCH: dict[str, Any] = {
    "theme": THEME,
    "css_paths": [ASSETS / "style.css"],
    "js": script(),
    "ssr_mode": False,
    "show_error": False,
    "run_history": False,
    "enable_monitoring": False,
    "footer_links": ["api"],
    "max_file_size": "15mb",
    "strict_cors": True,
    "allowed_paths": [],
    "mcp_server": False,
    "pwa": True,
    "favicon_path": str(ICON),
    "max_threads": 16,
    "state_session_capacity": 200,
    "app_kwargs": {
        "middleware": [Middleware(Guard), Middleware(Admission), Middleware(Ending), Middleware(Presence)],
        "routes": [HEALTH, *INSTALLED, *changed_scripts()],
    },
}


def build_app(explorer: Explorer, tabs: tuple[TabRow, ...] = TABS, first: First = FIRST) -> gr.Blocks:
    """Lay the page out and connect its parts; `first` is what it opens on."""
    with Page(title="Mixscope", fill_width=True, delete_cache=(3600, 86400), analytics_enabled=False) as app:
        app.hosted = explorer.hosted
        saves, held = Saves(), gr.State(NONE)
        status = build_header()
        with gr.Row(elem_id="cols"):
            waiting = View(elem_id="waiting", render=False)
            gr.HTML(render("rail_line"), elem_id="folded", apply_default_css=False)
            with gr.Column(scale=0, min_width=300, elem_id="rail"):
                view = rail.build(explorer.hosted, first.picture, waiting)
                open_tab = gr.Textbox(tabs[0].name, visible="hidden", elem_id="open-tab")
            with gr.Column(scale=1, min_width=320, elem_id="main"):
                waiting.render()
                shown = gr.Tabs(elem_id="tabs", overflow_behavior="wrap")
                gr.HTML(render("visits"), elem_id="visits", apply_default_css=False)
            with shown:
                boxes, built = {}, {}
                for row in tabs:
                    with gr.Tab(row.title, id=row.name) as one:
                        boxes[row.name] = RedrawBox(elem_id=f"redraw-{row.name}")
                        built[row.name] = row.build(
                            TabParts(explorer, view.rail, boxes[row.name], saves, first.model, held)
                        )
                    one.select(None, None, open_tab, js=f"() => {row.name!r}", **PICK)
        after = rail.after_choice(explorer, view, status)
        running = [event for tab in built.values() for event in tab.running]
        offering = tuple(one for tab in built.values() for one in tab.offering)
        choosing = [one for tab in built.values() for one in tab.choosing]
        naming = rail.connect(app, explorer, view, after, running, offering, choosing)
        remembered = {name: control for tab in built.values() for name, control in tab.remembered.items()}
        begun = [state for tab in built.values() for state in tab.begun]
        names = tuple(boxes)
        went = address.connect(
            app, explorer, view, after, (shown, open_tab), names, remembered, first, begun, naming
        )
        connect_tabs(view.link, shown, open_tab, boxes, built, went)
        endpoints.build(explorer)
        catch_up_alone(app)
    app.queue(default_concurrency_limit=1, max_size=24, api_open=False)
    rest_while_idle(app)
    keep_no_statistics(app)
    end_quietly(app)
    return app


def build_header() -> View:
    """Name, one line on what is shown, and the switches; gives the line."""
    with gr.Row(elem_id="head"):
        gr.HTML("<h1>Mixscope</h1>", elem_id="name", apply_default_css=False)
        status = View(elem_id="status")
        gr.HTML(render("header_buttons"), elem_id="switches", apply_default_css=False)
    gr.HTML(render("intro"), elem_id="intro", apply_default_css=False)
    gr.HTML(render("tour") + render("glossary", terms=TERMS), elem_id="guides", apply_default_css=False)
    return status


def connect_tabs(
    link: gr.Textbox,
    shown: gr.Tabs,
    open_tab: gr.Textbox,
    boxes: dict[str, RedrawBox],
    built: dict[str, BuiltTab],
    went: Any,
) -> None:
    """The open tab follows the link; a view's own link opens another tab at the layer or block it names.

    went: after this the open tab is told, also where the link is the one it shows.
    """
    telling: dict[str, Any] = {
        "fn": None,
        "inputs": [link, open_tab, *boxes.values()],
        "outputs": list(boxes.values()),
        "js": tell_open_tab(tuple(boxes)),
        **PICK,
    }
    gr.on([link.change, open_tab.change], **telling)
    arrived = f"(...values) => {{ window.mixscope.arrived(); return ({telling['js']})(...values); }}"
    went.success(**telling | {"js": arrived})
    parts = {name: tab.part for name, tab in built.items() if tab.part is not None}

    def follow(event: gr.EventData, *values: Redraw) -> list:
        redraws = dict(zip(parts, values, strict=True))
        part = getattr(event, "part", None)
        menus = [
            gr.Dropdown(choices=[part], value=part) if part and n == event.tab else gr.skip() for n in parts
        ]
        again = [redraws[n].again if part and n == event.tab else gr.skip() for n in parts]
        return [gr.Tabs(selected=event.tab), event.tab, *menus, *again]

    targets = [boxes[name] for name in parts]
    for view in (view for tab in built.values() for view in tab.links):
        view.link(follow, targets, [shown, open_tab, *parts.values(), *targets], **PICK)
