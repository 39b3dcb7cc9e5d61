"""The program behind `python app.py`: what the command line tells it, and the page or window it shows."""

import argparse
import os
import sys

from explorer import Explorer
from explorer.command_line.parsers import Parser
from explorer.engine.limits import Limits
from explorer.errors import ExplorerError
from explorer.report.language import localised
from explorer.ui.gradio_import import import_gradio
from explorer.ui.temporary_files import temporary_folder

COMMANDS = (
    "Without a page: `python -m explorer inspect PICTURE`, and attribute, reweight, knock-out, report, "
    "replay, gates, benchmark, survey; each tells more with --help."
)


def start() -> None:
    """Until the program is asked to end; ends with 2 and a sentence for what cannot be opened."""
    ask = Parser(description="See inside vision backbones.", epilog=COMMANDS)
    ask.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:1; auto takes CUDA if it is there"
    )
    ask.add_argument(
        "--hosted", action="store_true", help="serve strangers: no path of this machine is opened for them"
    )
    ask.add_argument("--model", help="what the page opens on: a listed name, timm:NAME, or module:function")
    ask.add_argument(
        "--weights", default="", help="of that model: a name it lists, or the path of a checkpoint"
    )
    ask.add_argument(
        "--labels", help="a text with the name of a class in every line, for a model of your own"
    )
    ask.add_argument(
        "--preprocess", nargs="+", default=[], metavar="size=224", help="also crop=, mean=, std=, ..."
    )
    ask.add_argument(
        "--mcp", action="store_true", help="serve programs, too: every view as a tool at /gradio_api/mcp/"
    )
    ask.add_argument(
        "--desktop", action="store_true", help="in a window of its own, on the PICTURE if one is given"
    )
    ask.add_argument("picture", nargs="?", metavar="PICTURE", help="what the window opens on")
    asked = ask.parse_args()
    try:
        if asked.desktop:
            with temporary_folder():
                window(asked)
            return
        explorer = Explorer(asked.device, limits=Limits(hosted=asked.hosted or "SPACE_ID" in os.environ))
        told = asked.weights, asked.labels, asked.preprocess
        first = explorer.any_model.opened(asked.model, *told) if asked.model else None
        with temporary_folder():
            serve(explorer, first, asked.mcp)
    except ExplorerError as error:
        sys.stderr.write(f"{localised(str(error))}\n")
        sys.exit(2)


def window(asked: argparse.Namespace) -> None:
    """Show the page in a window of its own until that is closed."""
    from explorer.ui.desktop import open_window  # now, as Gradio looks for its folder when it is imported

    open_window(asked.model or "", asked.weights, asked.picture, asked.device)


def serve(explorer: Explorer, first: tuple[str, str] | None, tools: bool = False) -> None:
    """Serve the page until the program is asked to end, opened on a model and weights where they are told."""
    import_gradio()  # now, as it looks for its folder then
    from explorer.ui.app import build_app
    from explorer.ui.first import First
    from explorer.ui.serving import launch

    app = build_app(explorer, first=First(*first) if first else First())
    launch(app, tools=tools)
    app.block_thread()
