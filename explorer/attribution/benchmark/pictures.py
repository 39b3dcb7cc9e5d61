"""Pictures to measure with: held-out scenes whose cause is known, or photographs of a folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from explorer.attribution.benchmark.staged import Stage, render, stage
from explorer.errors import ChoiceError, PictureError
from explorer.pictures import open_picture, to_image
from models import scenes
from models.registry import Preprocess

STAGES = 5_000  # seeds to look through
SURE = 0.99  # least probability of its class in a picture a model is sure of
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


@dataclass(frozen=True, eq=False)
class Known:
    """A picture as a model sees it, its class, and where its cause is: None where nobody knows."""

    image: Tensor  # [1, 3, h, w]
    target: int
    mask: np.ndarray | None = None  # True [h, w] on the cause


def of_scenes(preprocess: Preprocess) -> Iterator[Known]:
    """The held-out scenes, one after the other."""
    for seed in scenes.HELD_OUT:
        scene = scenes.draw(seed, preprocess.size)
        image, _ = to_image(Image.fromarray(scene.picture), preprocess)
        yield Known(image, scene.label, scene.mask)


def of_stages(preprocess: Preprocess) -> Iterator[tuple[Stage, Known]]:
    """Staged scenes, see `staged`, and what they are made of."""
    for seed in range(STAGES):
        made = stage(seed)
        yield made, seen(made, preprocess)


def seen(made: Stage, preprocess: Preprocess, also: Stage | None = None) -> Known:
    """A staged scene as a model sees it."""
    scene = render(made, preprocess.size, also)
    image, _ = to_image(Image.fromarray(scene.picture), preprocess)
    return Known(image, scene.label, scene.mask)


def of_folder(folder: Path, preprocess: Preprocess, model: nn.Module) -> Iterator[Known]:
    """The pictures of a folder and of those in it, mixed the same way every time.

    Their classes are those the model finds likeliest. Raises ChoiceError where there are none.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
    if not paths:
        raise ChoiceError(f"There are no pictures in {folder}.")
    for number in np.random.default_rng(0).permutation(len(paths)):
        try:
            image, _ = to_image(open_picture(paths[number]), preprocess)
        except PictureError:
            continue
        with torch.no_grad():
            yield Known(image, int(model(image)[0].argmax()))


def sure_of(model: nn.Module, pictures: Iterator[Known], least: float = SURE) -> Iterator[Known]:
    """Those of the pictures whose class the model gives at least a probability."""
    return (known for known in pictures if probability(model, known) >= least)


def probability(model: nn.Module, known: Known) -> float:
    """What the model gives the class of a picture."""
    with torch.no_grad():
        return float(model(known.image)[0].softmax(dim=0)[known.target])
