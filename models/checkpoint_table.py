"""The tables of `assets/weights/README.md`, from what each checkpoint says of itself."""

from pathlib import Path

from models import scenes
from models.checkpoint_facts import facts_of, measured, table
from models.photograph_table import by_class, foreign, photographs
from models.sources import sha256
from models.whole_files import written_whole

README = """# The bundled checkpoints

Made by `python -m models.train <name>` from the procedural pictures of `models/scenes.py`; the table is
written by that command from what each file carries in its metadata. Accuracy is on the {held_out:,} held-out
scenes (seeds 0 to {last:,}), which are never trained on. Licence: that of this project.

All that belongs to a new file is made by one command after training; it finds the files by their names,
`NAME.safetensors` and `NAME.cifar10.safetensors`, and writes typical shares (`assets/typical`), what the
weights know (`assets/familiar`), these tables, and the table of models in the README of the project:

```
python -m explorer.after_training --data cifar10.zip --photographs photographs.zip
```

{overall}

Accuracy per class, in percent:

{per_class}
{photographs}{foreign}{elsewhere}"""
ELSEWHERE = """
## Trained elsewhere

Published weights, kept in half precision and computed with in single precision; NOTICE says whose they are.
Accuracy is that of the likeliest class, on labelled photographs of ImageNet's classes, measured once.

{overall}
"""


def command(facts: dict) -> str:
    """What made a checkpoint, as it is typed."""
    schedule = facts["schedule"]
    told = f"python -m models.train {facts['name']} --epochs {schedule['epochs']}"
    told += "" if schedule["half"] else " --no-half"
    told += f" --spread {schedule['spread']:g}" if schedule.get("spread") else ""
    told += f" --device {schedule['device']}" if schedule.get("device", "cpu") != "cpu" else ""
    return f"`{told}`"


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
        foreign=foreign(measured(folder)),
        elsewhere=elsewhere(folder),
    )


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


def renew(folder: Path) -> None:
    """Write the README of a folder again, after a checkpoint has changed."""
    with written_whole(folder / "README.md") as partly:
        partly.write_text(readme(folder))
