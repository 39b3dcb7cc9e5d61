"""Puts the page together. Layout only: no tensor and no array is touched here."""

import gradio as gr

from explorer.explorer import Explorer
from explorer.ui import address, endpoints, rail
from explorer.ui.components import View, render
from explorer.ui.downloads import Saves
from explorer.ui.gradio_internals import rest_while_idle
from explorer.ui.selection import PICK, Tab
from explorer.ui.tabs.attribution import tab as attribution
from explorer.ui.tabs.code_walk import tab as code_walk
from explorer.ui.tabs.compare import tab as compare
from explorer.ui.tabs.maps import tab as maps
from explorer.ui.tabs.mixing import tab as mixing
from explorer.ui.tabs.overview import tab as overview
from explorer.ui.tabs.reweighting import tab as reweighting
from models.registry import ASSETS

THEME = gr.themes.Base(
    primary_hue="indigo",
    neutral_hue="slate",
    radius_size="md",
    font=[
        gr.themes.GoogleFont("IBM Plex Sans", weights=(400, 700)),
        "Noto Sans SC",
        "system-ui",
        "sans-serif",
    ],
    font_mono=[gr.themes.GoogleFont("IBM Plex Mono", weights=(400, 700)), "monospace"],
).set(
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_300",
    body_background_fill="*neutral_50",
    body_background_fill_dark="*neutral_950",
    block_shadow="none",
    block_border_width="1px",
    block_label_text_size="*text_xs",
    button_primary_background_fill="*primary_600",
    button_primary_background_fill_dark="*primary_600",
    button_primary_text_color="white",
)
LAUNCH = {
    "theme": THEME,
    "css_paths": [ASSETS / "style.css"],
    "js": (ASSETS / "page.js")
    .read_text("utf-8")
    .replace("/* the Chinese of every phrase on the page */ {}", (ASSETS / "zh.json").read_text("utf-8")),
    "ssr_mode": False,
    "show_error": False,
    "run_history": False,
    "enable_monitoring": False,
    "footer_links": ["api"],
    "max_file_size": "15mb",
    "strict_cors": True,
    "allowed_paths": [],
    "mcp_server": False,
    "pwa": False,
    "max_threads": 16,
    "state_session_capacity": 200,
}


# The turn reaches the open tab at once, and every other when it is opened.
OPEN = """async (turn, ...own) => {
  const tab = () => document.querySelector('#tabs [role=tab][aria-selected=true]')?.dataset.tabId;
  const soon = () => new Promise(done => setTimeout(done, 20));
  await soon();
  for (let i = 0; i < 500 && !tab(); i++) await soon();  // on a busy machine the tabs come late
  const open = tab();
  return own.map((before, i) => TABS[i] === open && before.trim() !== turn ? turn : before);
}""".replace("TABS", str(list(address.TABS)))


def tell_open_tab(tabs: gr.Tabs, turn: gr.Textbox, own: dict[str, gr.Textbox]) -> None:
    gr.on([turn.change, tabs.change], None, [turn, *own.values()], list(own.values()), js=OPEN, **PICK)


def through(maps_turn: str, reweighting_turn: str, event: gr.EventData) -> tuple:
    """Open the tab a door leads to, at the layer or block it shows, and have it drawn anew."""
    tab, _, place = event._data["value"].partition(" ")
    to = gr.Dropdown(choices=[place], value=place)  # the menu is filled when the tab is drawn
    layer, maps_turn = (to, again(maps_turn)) if tab == "maps" and place else (gr.skip(), gr.skip())
    leads_to_block = tab == "reweighting" and place
    block, reweighting_turn = (to, again(reweighting_turn)) if leads_to_block else (gr.skip(), gr.skip())
    return gr.Tabs(selected=tab), layer, block, maps_turn, reweighting_turn


def again(turn: str) -> str:
    """The same turn, but not the same text."""
    return turn.removesuffix(" ") if turn.endswith(" ") else f"{turn} "


def doors(event, tabs: gr.Tabs, own: dict[str, gr.Textbox], maps: Tab, reweighting: Tab) -> None:
    turns = [own["maps"], own["reweighting"]]
    places = [maps.address["layer"], reweighting.address["block"]]
    event(through, turns, [tabs, *places, *turns], **PICK)


def build_app(explorer: Explorer) -> gr.Blocks:
    gr.set_static_paths([ASSETS / "examples"])
    with gr.Blocks(
        title="Mixscope", fill_width=True, delete_cache=(3600, 86400), analytics_enabled=False
    ) as app:
        saves = Saves()
        with gr.Row(elem_id="head"):
            gr.HTML("<h1>Mixscope</h1>", elem_id="name", apply_default_css=False)
            status = View(elem_id="status")
            gr.HTML(render("header_buttons"), elem_id="switches", apply_default_css=False)
        with gr.Row(elem_id="cols"):
            with gr.Column(scale=0, min_width=300, elem_id="rail"):
                side, which, upload, strip, badge, turn = rail.build()
                own = {tab: gr.Textbox(visible="hidden", elem_id=f"turn-{tab}") for tab in address.TABS}
            with (
                gr.Column(scale=1, min_width=320, elem_id="main"),
                gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs,
            ):
                with gr.Tab("Overview", id="overview"):
                    story, first = overview.build(explorer, side, own["overview"])
                with gr.Tab("Maps", id="maps"):
                    second = maps.build(explorer, side, own["maps"], saves)
                with gr.Tab("Reweighting", id="reweighting"):
                    depth, third = reweighting.build(explorer, side, own["reweighting"], saves)
                with gr.Tab("Attribution", id="attribution"):
                    fourth = attribution.build(explorer, side, own["attribution"], saves)
                with gr.Tab("Code walk", id="code"):
                    fifth = code_walk.build(explorer, side, own["code"], saves)
                with gr.Tab("Mixing", id="mixing"):
                    sixth = mixing.build(explorer, side, own["mixing"], saves)
                with gr.Tab("Compare", id="compare"):
                    seventh = compare.build(explorer, side, own["compare"], saves)
        running = [one for tab in (first, third, fourth, sixth, seventh) for one in tab.running]
        fit, renew = rail.wire(explorer, side, which, upload, strip, badge, status, turn, running)
        named = {}
        for tab in (second, third, fourth, fifth, sixth, seventh):
            named |= tab.address
        address.wire(app, side, which, upload, turn, tabs, named, fit, renew)
        tell_open_tab(tabs, turn, own)
        doors(story.pick, tabs, own, second, third)
        doors(depth.door, tabs, own, second, third)
        endpoints.build(explorer)
    app.queue(default_concurrency_limit=1, max_size=24, api_open=False)
    rest_while_idle(app)
    return app
