"""How a picture becomes the image a set of weights was trained on."""

from dataclasses import dataclass
from typing import Literal

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class Preprocess:
    """How a picture becomes the image a set of weights was trained on."""

    size: int  # height of the image in pixels, and its width unless that is given
    crop: float = 1.0  # the centre crop's share of the resized shorter side
    interpolation: Literal["bilinear", "bicubic"] = "bicubic"
    mean: tuple[float, float, float] = IMAGENET_MEAN  # of RGB in [0, 1]
    std: tuple[float, float, float] = IMAGENET_STD
    width: int | None = None
    channels: Literal["rgb", "bgr"] = "rgb"  # their order in the image; mean and std are of RGB all the same
    detail: int = 0  # side the crop is reduced to before it is enlarged to `size`; 0 where it is not enlarged

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image in pixels."""
        return self.size, self.width or self.size


SCENES = Preprocess(size=64, interpolation="bilinear", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
# CIFAR-10 has 32 pixels a side: what was trained on it sees no more of any picture.
PHOTOGRAPHS = Preprocess(size=64, detail=32, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
