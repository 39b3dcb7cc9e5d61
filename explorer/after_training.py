"""Make all that belongs to a new file of weights, with one command after training:

    python -m explorer.after_training --data cifar10.zip --photographs photographs.zip

For every `assets/weights/NAME.safetensors` (trained on scenes) and `NAME.cifar10.safetensors` whose
belongings are missing or of another file: the typical shares (`assets/typical`), what the weights know and
how well they tell what they do not (`assets/familiar`), then the tables in assets/weights/README.md and in
README.md.

data: CIFAR-10 as `models.train` reads it. photographs: a folder or zip whose files are called after the
number of their ImageNet class, as `281_tabby.jpg`. None of the pictures become part of the project.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from explorer.familiarity import reference
from explorer.familiarity.measure import Pictures, measured, told_right
from explorer.familiarity.pictures import Labelled, OfImageNet, drawn, photographed
from explorer.familiarity.scores import Evidence
from explorer.pictures import open_picture
from explorer.reweighting import reference_shares
from explorer.reweighting.reference_shares import checksum
from models import card, create, list_models, scenes
from models.checkpoint_table import renew
from models.model_table import renew_models
from models.photographs import CIFAR10, cifar10
from models.preprocess import Preprocess
from models.registry import ASSETS
from models.whole_files import written_whole

LEARNED, HELD_OUT = 3_000, 1_000  # pictures; of CIFAR-10 the whole test set is held out
EXAMPLES = ASSETS / "examples" / "photographs"
SIDE = 128  # pixels of a scene that is shown to weights that know photographs


class Material:
    """The pictures all weights are measured with, each kind read when it is first needed."""

    def __init__(self, data: Path, photographs: Path) -> None:
        self.data, self.photographs = data, photographs

    @cached_property
    def imagenet(self) -> OfImageNet:
        return OfImageNet.read(self.photographs)

    @cached_property
    def scenes(self) -> Pictures:
        start = scenes.TRAINING_SEED
        learned = drawn(range(start, start + LEARNED), 64)
        return Pictures(learned, drawn(scenes.HELD_OUT[:HELD_OUT], 64), {"photographs": self.imagenet.all})

    @cached_property
    def cifar10(self) -> Pictures:
        train = cifar10(self.data, "train")
        every = train.only(np.arange(0, len(train), max(1, len(train) // LEARNED)))
        foreign = {"photographs": self.imagenet.none, "scenes": drawn(scenes.HELD_OUT[:HELD_OUT], SIDE)}
        return Pictures(photographed(every), photographed(cifar10(self.data, "test")), foreign)

    def of(self, weights: str) -> Pictures:
        return self.scenes if weights == "scenes" else self.cifar10


def some(pictures: Labelled, count: int) -> Iterator[Image.Image]:
    """As many pictures, evenly spread over all there are."""
    return islice(pictures, 0, None, max(1, len(pictures.labels) // count))


def told_path(name: str, weights: str) -> Path:
    """Where what was measured of weights is kept for the tables."""
    return reference.path_of(name, weights).with_suffix(".json")


def is_complete(name: str, weights: str) -> bool:
    """Whether all that belongs to these weights is there, and of this file."""
    return bool(reference.measured_of(name, weights) and reference.shipped(name, weights))


def make(name: str, weights: str, material: Material) -> dict:
    """Make all that belongs to some weights, but for the tables; gives what was measured."""
    model, preprocess = create(name, weights), card(name).weights[weights].preprocess
    pictures = material.of(weights)
    shares = reference_shares.over(model, preprocess, some(pictures.held_out, reference_shares.PICTURES))
    if shares:
        reference_shares.keep(name, weights, reference_shares.typical(shares, weights))
    known, told = measured(model, preprocess, pictures)
    if weights == "cifar10":
        told |= told_right(model, preprocess, material.imagenet.ten)
        told["examples"] = {
            path.stem: told_of(model, preprocess, path) for path in sorted(EXAMPLES.glob("*.jpg"))
        }
    reference.keep(name, weights, known)
    told = {"name": name, "weights": weights, "checkpoint": checksum(name, weights), **told}
    with written_whole(told_path(name, weights)) as partly:
        partly.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    return told


def told_of(model: nn.Module, preprocess: Preprocess, path: Path) -> str:
    """What weights trained on CIFAR-10 say of a photograph."""
    seen = Evidence.gathered(model, preprocess, [open_picture(path)])
    return CIFAR10[int(seen.logits[0].argmax())]


def trained_here() -> list[tuple[str, str]]:
    """Name and weights of every file this project has trained and that lies in `assets/weights`."""
    return [
        (name, weights)
        for name in list_models()
        for weights in ("scenes", "cifar10")
        if weights in card(name).weights
    ]


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--data", type=Path, required=True, help="CIFAR-10: a zip or a folder")
    ask.add_argument("--photographs", type=Path, required=True, help="a folder or zip")
    ask.add_argument("--anew", nargs="*", default=[], metavar="NAME.WEIGHTS", help="make these once more")
    ask.add_argument("--threads", type=int, default=1)
    args = ask.parse_args()
    torch.set_num_threads(args.threads)
    material = Material(args.data, args.photographs)
    for name, weights in trained_here():
        if f"{name}.{weights}" in args.anew or not is_complete(name, weights):
            told = make(name, weights, material)
            areas = ", ".join(f"{kind} {by[told['score']]:.4f}" for kind, by in told["areas"].items())
            sys.stdout.write(f"{name}.{weights}: by {told['score']}, area {areas}\n")
            sys.stdout.flush()
    renew(ASSETS / "weights")
    renew_models(ASSETS.parent / "README.md")


if __name__ == "__main__":
    main()
