"""The tables of what has learned photographs, and of how well it is told what weights do not know."""

from collections.abc import Sequence
from pathlib import Path

from models.checkpoint_facts import facts_of, measured, table
from models.photograph_recipe import Recipe
from models.photographs import CIFAR10
from models.sources import sha256

PHOTOGRAPHS = """
## Photographs

`weights="cifar10"`, made by `python -m models.train <name> --on cifar10 --data <CIFAR-10> --more <Tiny
ImageNet>`: CIFAR-10's 50,000 training pictures, and of Tiny ImageNet the classes that are one of the ten
under the same names, the others as none of them (`models/photographs.py`); how long and with what stands in
the table. Those of `cuda` were made on an NVIDIA H200, all at once in nine minutes, MobileViT's on an H100 in
eleven, by the same steps after `torch.compile`. All see 64 x 64 pixels, MobileViT 128 x 128, made of 32 x 32.
Accuracy on CIFAR-10 is that on its 10,000 test pictures, which are never trained on; beside
it that on photographs of ImageNet's classes that are one of the ten (`models/ten_of_imagenet.py`), reduced
and cut to a square as a visitor's are. ECE is the expected calibration error in 15 bins on the test pictures,
before and after the logits were divided by the temperature; they are kept divided.

{overall}

Accuracy per class on the test pictures, in percent:

{per_class}

Photographs told right, per class:

{of_photographs}

Confusion on the test pictures, in percent of the true class (rows):

{confusion}
"""
FOREIGN = """
## What they do not know

Whether a picture is nothing the weights know is told by one of three scores: the distance of the last
features to those of known pictures, the energy of the logits, or the highest probability. All three are
compared by the command above; that with the largest area over the photographs is used, with the threshold at
which one in twenty held-out pictures is a false alarm. To weights trained on scenes all photographs are
foreign; to weights trained on CIFAR-10 photographs of none of the ten are, and drawn scenes. The area is how
often a foreign picture has the higher score than a known one.

{areas}

The curve of the score that is used: how many of the foreign pictures are noticed, by the share of false
alarms among the known ones.

{curves}
"""


def photographs(folder: Path) -> str:
    """The tables of what has learned photographs; nothing where none has."""
    paths = sorted(folder.glob("*.cifar10.safetensors"))
    told = {path: facts_of(path) for path in paths}
    after = {one["name"]: one for one in measured(folder) if one["weights"] == "cifar10"}
    rows = [
        (
            facts["name"],
            f"{facts['parameters']:,}",
            f"{facts['pictures'] + facts.get('began_with', {'pictures': 0})['pictures']:,}",
            f"{facts['accuracy']:.2%}",
            of_all(after.get(facts["name"])),
            f"{facts['ece_before']:.2%} / {facts['ece']:.2%}",
            f"{facts['temperature']:.2f}",
            command(facts),
            f"`{sha256(path)}`",
        )
        for path, facts in told.items()
    ]
    head = ("model", "parameters", "pictures seen", "CIFAR-10", "photographs", "ECE before / after")
    if not told:
        return ""
    return PHOTOGRAPHS.format(
        overall=table((*head, "temperature", "made with", "sha256"), rows),
        per_class=by_class(list(told.values()), CIFAR10),
        of_photographs=of_photographs(list(after.values())),
        confusion="\n\n".join(confusion(facts) for facts in told.values()),
    )


def command(facts: dict) -> str:
    """What is added to the command above, of each training one after the other."""
    before = facts.get("began_with") or facts.get("went_on_from")
    return ", then ".join(options(one) for one in (before, facts) if one)


def options(facts: dict) -> str:
    recipe = facts["recipe"]
    told = [f"--epochs {recipe['epochs']}"]
    told += [f"--batch {recipe['batch']}"] if recipe["batch"] != Recipe.batch else []
    share = recipe["matrices"] / Recipe.matrices
    told += [f"--share {share:g}"] if share != 1 else []
    told += [f"--cooldown {recipe['cooldown']:g}"] if recipe["cooldown"] != Recipe.cooldown else []
    told += ["--convolutions"] if recipe.get("convolutions") else []
    told += [f"--teachers {' '.join(recipe['teachers'])}"] if recipe.get("teachers") else []
    told += [] if recipe["half"] else ["--no-half"]
    told += [f"--device {facts['device']}"] if facts["device"] != "cpu" else []
    told += ["--begin <the file before>"] if "began_with" in facts else []
    told += ["--halfway"] if facts.get("halfway") else []
    return f"`{' '.join(told)}`" + (" in the same `--work`" if "went_on_from" in facts else "")


def of_all(after: dict | None) -> str:
    """Accuracy over all photographs; a dash where nobody has measured it."""
    return f"{sum(after['right']) / sum(after['of']):.1%} of {sum(after['of'])}" if after else "–"


def of_photographs(after: Sequence[dict]) -> str:
    """How many are told right of how many: a row for each class there is, a column for each checkpoint."""
    if not after:
        return "Not measured yet."
    counts = [
        (label, [(one["right"][index], one["of"][index]) for one in after])
        for index, label in enumerate(CIFAR10)
    ]
    rows = [
        (label, *(f"{right} of {of}" for right, of in found)) for label, found in counts if any(found[0][1:])
    ]
    return table(("class", *(one["name"] for one in after)), rows)


def confusion(facts: dict) -> str:
    """True class by told class."""
    rows = [
        (label, *(f"{100 * count / sum(row):.1f}" for count in row))
        for label, row in zip(CIFAR10, facts["confusion"], strict=True)
    ]
    return table((facts["name"], *CIFAR10), rows)


def foreign(told: Sequence[dict]) -> str:
    """The tables of areas and curves; nothing where nothing was measured."""
    if not told:
        return ""
    each = [(one, kind) for one in told for kind in one["areas"]]
    areas = [
        (
            one["name"],
            one["weights"],
            f"{one['pictures'][kind]:,} {kind}",
            *(f"{one['areas'][kind][score]:.4f}" for score in ("distance", "energy", "probability")),
            one["score"],
        )
        for one, kind in each
    ]
    curves = [
        (one["name"], one["weights"], kind, *(f"{share:.1%}" for share in one["curves"][kind]))
        for one, kind in each
    ]
    alarms = [f"{share:.0%}" for share in told[0]["false_alarms"]]
    head = ("model", "weights", "foreign")
    return FOREIGN.format(
        areas=table((*head, "distance", "energy", "probability", "used"), areas),
        curves=table((*head, *alarms), curves),
    )


def by_class(told: Sequence[dict], labels: Sequence[str]) -> str:
    """Accuracy in percent: a row for each class, a column for each checkpoint."""
    rows = [
        (label, *(f"{100 * facts['per_class'][index]:.1f}" for facts in told))
        for index, label in enumerate(labels)
    ]
    return table(("class", *(facts["name"] for facts in told)), rows)
