"""The tables of `assets/weights/README.md`, from what each checkpoint says of itself."""

import json
from collections.abc import Sequence
from pathlib import Path

from safetensors import safe_open

from models import scenes
from models.photographs import CIFAR10
from models.sources import sha256
from models.whole_files import written_whole

README = """# The bundled checkpoints

Made by `python -m models.train <name>` from the procedural pictures of `models/scenes.py`; the table is
written by that command from what each file carries in its metadata. Accuracy is on the {held_out:,} held-out
scenes (seeds 0 to {last:,}), which are never trained on. Licence: that of this project.

{overall}

Accuracy per class, in percent:

{per_class}
{photographs}{elsewhere}"""
PHOTOGRAPHS = """
## Photographs

`weights="cifar10"`, made by `python -m models.train <name> --on cifar10 --data <CIFAR-10> --more <Tiny
ImageNet>`: CIFAR-10's 50,000 training pictures, and of Tiny ImageNet the classes that are one of the ten
under the same names, the others as none of them (`models/photographs.py`). Accuracy and calibration are on
CIFAR-10's 10,000 test pictures, which are never trained on; ECE is the expected calibration error in 15
bins, before and after the logits were divided by the temperature.

{overall}

Accuracy per class, in percent:

{per_class}
"""
ELSEWHERE = """
## Trained elsewhere

Published weights, kept in half precision and computed with in single precision; NOTICE says whose they are.
Accuracy is that of the likeliest class, on labelled photographs of ImageNet's classes, measured once.

{overall}
"""


def facts_of(path: Path) -> dict:
    """What a bundled checkpoint says of itself."""
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["mixscope"])


def command(facts: dict) -> str:
    """What made a checkpoint, as it is typed."""
    schedule = facts["schedule"]
    half = "" if schedule["half"] else " --no-half"
    return f"`python -m models.train {facts['name']} --epochs {schedule['epochs']}{half}`"


def readme(folder: Path) -> str:
    """The table of all checkpoints in a folder, from what each file says of itself."""
    paths = sorted(path for path in folder.glob("*.safetensors") if not path.stem.endswith(".cifar10"))
    files = {path: facts for path in paths if "schedule" in (facts := facts_of(path))}
    told = list(files.values())
    rows = [
        (
            facts["name"],
            f"{facts['parameters']:,}",
            f"{facts['accuracy']:.2%}",
            f"{facts['schedule']['epochs'] * facts['schedule']['pictures']:,}",
            facts["schedule"]["seed"],
            command(facts),
            f"`{sha256(path)}`",
        )
        for path, facts in files.items()
    ]
    return README.format(
        held_out=len(scenes.HELD_OUT),
        last=scenes.HELD_OUT[-1],
        overall=table(("model", "parameters", "accuracy", "pictures", "seed", "command", "sha256"), rows),
        per_class=by_class(told, scenes.CLASSES),
        photographs=photographs(folder),
        elsewhere=elsewhere(folder),
    )


def photographs(folder: Path) -> str:
    """The tables of what has learned photographs; nothing where none has."""
    paths = sorted(folder.glob("*.cifar10.safetensors"))
    told = [facts_of(path) for path in paths]
    rows = [
        (
            facts["name"],
            f"{facts['parameters']:,}",
            f"{facts['accuracy']:.2%}",
            f"{facts['ece_before']:.2%} / {facts['ece']:.2%}",
            f"{facts['temperature']:.2f}",
            f"{facts['pictures']:,}",
            f"`{sha256(path)}`",
        )
        for path, facts in zip(paths, told, strict=True)
    ]
    head = ("model", "parameters", "accuracy", "ECE before / after", "temperature", "pictures seen", "sha256")
    return PHOTOGRAPHS.format(overall=table(head, rows), per_class=by_class(told, CIFAR10)) if told else ""


def elsewhere(folder: Path) -> str:
    """The table of published weights that come along; nothing where none does."""
    files = {path: facts_of(path) for path in sorted(folder.glob("*.safetensors"))}
    rows = [
        (
            facts["name"],
            f"{facts['parameters']:,}",
            f"{facts['accuracy']:.1%} of {facts['photographs']}",
            facts["origin"],
            f"`{facts['command']}`",
            f"`{sha256(path)}`",
        )
        for path, facts in files.items()
        if "origin" in facts
    ]
    head = ("model", "parameters", "accuracy", "from", "command", "sha256")
    return ELSEWHERE.format(overall=table(head, rows)) if rows else ""


def by_class(told: Sequence[dict], labels: Sequence[str]) -> str:
    """Accuracy in percent: a row for each class, a column for each checkpoint."""
    rows = [
        (label, *(f"{100 * facts['per_class'][index]:.1f}" for facts in told))
        for index, label in enumerate(labels)
    ]
    return table(("class", *(facts["name"] for facts in told)), rows)


def renew(folder: Path) -> None:
    """Write the README of a folder again, after a checkpoint has changed."""
    with written_whole(folder / "README.md") as partly:
        partly.write_text(readme(folder))


def table(head: tuple, rows: list[tuple]) -> str:
    """Rows as Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
