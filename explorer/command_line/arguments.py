"""The words each command takes; options of methods come from the one table of options."""

import argparse
from pathlib import Path
from typing import Any

from explorer.attribution.benchmark.protocols import PROTOCOLS
from explorer.attribution.options import OPTIONS, Options
from explorer.attribution.registry import METHODS
from explorer.command_line.parsers import Parser
from explorer.report.language import localised
from explorer.reweighting.ablation import MODES, OWED

FIRST_MODEL, FIRST_METHOD = "vip_nano", "integrated_gradients"
NUMBERS = {"whole": int, "share": float}


def parser() -> Parser:
    ask = Parser(prog="python -m explorer", description="See inside vision backbones.")
    commands = ask.add_subparsers(dest="command", required=True)
    common = common_words()
    about = [picture_words(), model_words(), common]
    commands.add_parser("inspect", parents=about, help=localised("the likeliest classes of each picture"))
    attribute = commands.add_parser("attribute", parents=about, help=localised("where a class comes from"))
    attribute.add_argument("--method", default=FIRST_METHOD, choices=list(METHODS), metavar="METHOD")
    add_target(attribute)
    add_options(attribute)
    commands.add_parser(
        "reweight", parents=about, help=localised("the shares of the branches in every block")
    )
    knock_out = commands.add_parser(
        "knock-out", parents=about, help=localised("what a class loses with each branch")
    )
    knock_out.add_argument("--mode", default="removed", choices=[*MODES, *OWED])
    add_target(knock_out)
    report = commands.add_parser(
        "report", parents=about, help=localised("one HTML file about a picture, with its recipe")
    )
    report.add_argument("--method", default=FIRST_METHOD, choices=list(METHODS), metavar="METHOD")
    add_target(report)
    add_options(report)
    replay = commands.add_parser(
        "replay", parents=[common], help=localised("ask again what a recipe asked, and compare")
    )
    replay.add_argument("recipe", type=Path, metavar="RECIPE")
    replay.add_argument("picture", metavar="PICTURE")
    add_survey(commands, [model_words(), common])
    gates = commands.add_parser("gates", parents=[common], help=localised("print the gates of a model"))
    gates.add_argument("model", help="a listed name, timm:NAME, or module:function")
    gates.add_argument("--weights", help="a name the model lists, random, or the path of a checkpoint")
    add_benchmark(commands, [model_words(), common])
    return ask


def add_survey(commands: Any, about: list[Parser]) -> None:
    survey = commands.add_parser("survey", parents=about, help=localised("a row for each of many pictures"))
    survey.add_argument(
        "source",
        metavar="SOURCE",
        help="a folder, a zip, a list of files, shards-{000..003}.tar, or hf:OWNER/NAME",
    )
    survey.add_argument(
        "--checkpoints",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="go over all with each of these weights, and draw the shares over them",
    )
    survey.add_argument(
        "--beside", type=Path, metavar="FILE.parquet", help="tell how far it differs from this survey, too"
    )
    survey.add_argument("--resume", action="store_true", help="go on with what was stopped")
    survey.add_argument("--methods", metavar="A,B,...", help="score maps of these, too")
    survey.add_argument("--batch", type=int, default=64, metavar="N", help="pictures decoded beforehand")
    survey.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="threads that decode; with --ray, processes with a model each",
    )
    survey.add_argument(
        "--ray", metavar="local|ADDRESS", help="on a cluster of Ray, or on all processors of this one"
    )


def add_benchmark(commands: Any, about: list[Parser]) -> None:
    benchmark = commands.add_parser(
        "benchmark",
        parents=about,
        help=localised("measure methods where the truth is known, with intervals and controls"),
    )
    benchmark.add_argument("--protocol", default="difull", choices=list(PROTOCOLS))
    benchmark.add_argument("--methods", metavar="A,B,...", help="names, or module:function; else all")
    benchmark.add_argument(
        "--pictures", nargs="+", default=[], metavar="COUNT|DIR", help="how many, and a folder of photographs"
    )
    benchmark.add_argument(
        "--results",
        type=Path,
        metavar="FILE.json",
        help="kept there row by row; what is there is not made again",
    )
    add_options(benchmark)


def common_words() -> Parser:
    words = Parser(add_help=False)
    words.add_argument("--json", action="store_true", help="one object or list on standard output")
    words.add_argument(
        "--out", type=Path, metavar="DIR", help="keep what is printed, and pictures of it, there"
    )
    words.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:1")
    return words


def model_words() -> Parser:
    words = Parser(add_help=False)
    words.add_argument(
        "--model", default=FIRST_MODEL, help="a listed name, NAME@SIZE, a block, timm:NAME or module:function"
    )
    words.add_argument("--weights", help="a name the model lists, random, or the path of a checkpoint")
    return words


def picture_words() -> Parser:
    words = Parser(add_help=False)
    words.add_argument("pictures", nargs="+", metavar="PICTURE")
    return words


def add_target(command: argparse.ArgumentParser) -> None:
    command.add_argument("--target", type=int, help="number of the class; the likeliest where none is given")


def add_options(command: argparse.ArgumentParser) -> None:
    """A word for each option; what a method does not listen to changes nothing."""
    group = command.add_argument_group("options of the methods")
    for name, spec in OPTIONS.items():
        kind = NUMBERS.get(spec.kind, int if spec.kind == "class" else str)
        known = [value for _, value in spec.choices] if spec.kind == "choice" else None
        group.add_argument(
            f"--{name}", type=kind, choices=known, metavar=name.upper(), help=localised(spec.help)
        )


def options_of(asked: argparse.Namespace) -> Options:
    """The options that were given, the others as they are usually."""
    given = {name: getattr(asked, name) for name in OPTIONS}
    return Options(**{name: value for name, value in given.items() if value is not None})
