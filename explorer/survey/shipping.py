"""Makes the surveys that come along: `python -m explorer.survey.shipping --data cifar10.zip`.

Every bundled nano goes over the test pictures of CIFAR-10 with what it learned of photographs, and over the
scenes nothing is trained on with what it learned of scenes. `--full DIR` keeps the whole surveys as well.
What is there already, of the same weights, is left alone.
"""

import argparse
import zipfile
from pathlib import Path

import numpy as np
from tqdm import tqdm

from explorer.errors import ExplorerError
from explorer.explorer import Explorer
from explorer.report.recipe import digest_of
from explorer.survey.found import Rows
from explorer.survey.live import live
from explorer.survey.parts import read_about
from explorer.survey.question import Question
from explorer.survey.scenes import held_out
from explorer.survey.shipped import FOLDER, SETS, path_of
from explorer.survey.sources import Item, in_zip
from explorer.survey.written import parquet_of
from models import list_models

STEPS = 2**16  # shares and probabilities that come along are whole parts of this
KEPT = ("name", "label", "index", "foreignness", "familiar")


def test_pictures(data: Path) -> list[Item]:
    """The test pictures of CIFAR-10 in a zip of class folders, by their names there."""
    with zipfile.ZipFile(data) as archive:
        if not any(name.startswith("test/") for name in archive.namelist()):
            raise ExplorerError(f"{data} has no folder called test.")
    return [item for item in in_zip(data) if item.name.startswith("test/")]


def smaller(rows: Rows) -> Rows:
    """What comes along: the likeliest class alone, no features, numbers in whole parts of `STEPS`."""
    made = {}
    for name, values in rows.columns.items():
        if name.startswith("top_"):
            made[name] = values[:, :1]
        elif name in KEPT or name.startswith(("shares:", "open:")):
            made[name] = values
    rounded = {
        name: np.round(values * STEPS).astype(np.float32) / np.float32(STEPS)
        if isinstance(values, np.ndarray) and values.dtype == np.float32
        else values
        for name, values in made.items()
    }
    openness = {name: values.astype(np.float16) for name, values in rows.about["openness"].items()}
    return Rows({**rows.about, "openness": openness}, rounded)


def is_made(explorer: Explorer, model: str, weights: str, place: Path) -> bool:
    if not place.is_file():
        return False
    return read_about(place)["weights_sha256"] == digest_of(explorer.load(model, weights).model)


def make(explorer: Explorer, model: str, weights: str, pictures: list[Item], full: Path | None) -> None:
    """One survey, in memory, and what is kept of it."""
    question = Question(source=SETS[weights], model=model, weights=weights)
    bar = tqdm(total=len(pictures), unit="picture", desc=f"{model} {weights}", mininterval=2)
    for so_far in live(explorer, question, pictures):
        bar.update(so_far.done - bar.n)
    bar.close()
    if full:
        full.mkdir(parents=True, exist_ok=True)
        (full / path_of(model, weights).name).write_bytes(parquet_of(so_far.rows))
    FOLDER.mkdir(exist_ok=True)
    path_of(model, weights).write_bytes(parquet_of(smaller(so_far.rows)))


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--data", type=Path, required=True, help="CIFAR-10 as a zip of test/CLASS/ folders")
    ask.add_argument("--full", type=Path, help="a folder for the whole surveys")
    ask.add_argument("models", nargs="*", help="all bundled nanos where none is named")
    asked = ask.parse_args()
    pictures = {"cifar10": test_pictures(asked.data), "scenes": list(held_out())}
    explorer = Explorer()
    for model in asked.models or [name for name in list_models(bundled=True) if name.endswith("_nano")]:
        for weights in SETS:
            if not is_made(explorer, model, weights, path_of(model, weights)):
                make(explorer, model, weights, pictures[weights], asked.full)


if __name__ == "__main__":
    main()
