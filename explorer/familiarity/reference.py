"""What each bundled set of weights knows, computed once and shipped in `assets/familiar`.

`python -m explorer.familiarity.reference --photographs PATH` makes the files again: centres and spread from
scenes the nanos may have been trained on, the threshold from a thousand held-out ones, and how well it tells
the photographs of a folder or zip from scenes.
"""

import argparse
import io
import logging
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from explorer.capture import Run, run
from explorer.familiarity.distance import Familiar, Familiarity, familiar, features, separated
from explorer.pictures import to_image
from explorer.reweighting.reference_shares import DAMAGED, checksum
from models import card, create, list_models, scenes
from models.photographs import files
from models.registry import ASSETS
from models.whole_files import written_whole

log = logging.getLogger("mixscope")
FOLDER = ASSETS / "familiar"
LEARNED, HELD_OUT = 3_000, 1_000  # scenes
FALSE_ALARMS = 0.05
AT_ONCE = 50


def features_of(model: nn.Module, images: Sequence[Tensor]) -> np.ndarray:
    """`[n, channels]`, of images `[1, 3, h, w]`."""
    batches = torch.cat(list(images)).split(AT_ONCE)
    return np.concatenate([features(run(model, batch)) for batch in batches])


def of_scenes(name: str, model: nn.Module, seeds: range) -> tuple[np.ndarray, np.ndarray]:
    """Features and classes of drawn scenes."""
    preprocess = card(name).weights["scenes"].preprocess
    drawn = [scenes.draw(seed, preprocess.size) for seed in seeds]
    images = [to_image(Image.fromarray(scene.picture), preprocess)[0] for scene in drawn]
    return features_of(model, images), np.array([scene.label for scene in drawn])


def write(name: str, photographs: Path, folder: Path = FOLDER) -> None:
    """Compute and keep what the weights trained on scenes know."""
    model, weights = create(name, "scenes"), card(name).weights["scenes"]
    start = scenes.TRAINING_SEED
    exact = familiar(*of_scenes(name, model, range(start, start + LEARNED)))
    known = Familiar(exact.centres.astype(np.float32), exact.precision.astype(np.float32))  # as they are kept
    near = known.distances(of_scenes(name, model, scenes.HELD_OUT[:HELD_OUT])[0])
    pictures = [Image.open(io.BytesIO(raw)).convert("RGB") for _, raw in files(photographs)]
    images = [to_image(picture, weights.preprocess)[0] for picture in pictures]
    far = known.distances(features_of(model, images))
    threshold = np.quantile(near, 1 - FALSE_ALARMS)
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(folder / f"{name}.scenes.npz") as partly:
        np.savez_compressed(
            partly,
            centres=known.centres,
            precision=known.precision,
            threshold=threshold,
            area=separated(near, far),
            detected=(far > threshold).mean(),
            photographs=len(far),
            checkpoint=checksum(name),
        )


@lru_cache(maxsize=16)
def shipped(name: str, weights: str) -> tuple[Familiar, float, float] | None:
    """What comes with bundled weights: what they know, the threshold, the share of foreign pictures beyond.

    None where nothing does, where it is of another file, or damaged.
    """
    path = FOLDER / f"{name}.{weights}.npz"
    if not path.is_file():
        return None
    try:
        with np.load(path) as file:
            if str(file["checkpoint"]) != checksum(name, weights):
                return None
            known = Familiar(file["centres"], file["precision"])
            return known, float(file["threshold"]), float(file["detected"])
    except DAMAGED as error:
        log.warning("%s is damaged: %s", path.name, error)
        return None


def familiarity(seen: Run, name: str, weights: str) -> Familiarity | None:
    """What is to be said of the picture of a pass; None where nothing is known of the weights."""
    if (reference := shipped(name, weights)) is None:
        return None
    known, threshold, detected = reference
    distance = float(known.distances(features(seen))[0])
    return Familiarity(distance=distance, threshold=threshold, known=weights, detected=detected)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--photographs", type=Path, required=True, help="a folder or zip of photographs")
    photographs = ask.parse_args().photographs
    for name in list_models():
        if "scenes" in card(name).weights:
            write(name, photographs)
            with np.load(FOLDER / f"{name}.scenes.npz") as told:
                sys.stdout.write(
                    f"{name}: area {told['area']:.4f}, {told['detected']:.1%} of {told['photographs']}\n"
                )


if __name__ == "__main__":
    main()
