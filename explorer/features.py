"""What the channels of a feature map look like, one by one and all together."""

from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange

from explorer.capture import Run
from explorer.errors import ChoiceError
from models.probe import Kind

SORTS = ("activation", "variance", "number")


@dataclass(frozen=True)
class FeatureMap:
    """One probed map, `values` `[h, w, c]` in the model's own units."""

    layer: str
    values: np.ndarray

    @property
    def channels(self) -> int:
        return self.values.shape[-1]

    def channel(self, number: int) -> np.ndarray:
        """One channel at every place `[h, w]`."""
        if not 0 <= number < self.channels:
            raise ChoiceError(
                f"{self.layer} has channels 0 to {self.channels - 1}; there is no channel {number}."
            )
        return self.values[..., number]

    def order(self, by: str) -> np.ndarray:
        """Channel numbers, those with the largest mean size (activation) or variance first."""
        if by == "activation":
            score = np.abs(self.values).mean(axis=(0, 1))
        elif by == "variance":
            score = self.values.var(axis=(0, 1))
        elif by == "number":
            return np.arange(self.channels)
        else:
            raise ChoiceError(f"Channels are sorted by {', '.join(SORTS)}; not by {by!r}.")
        return np.argsort(-score, kind="stable")


def layers(run: Run) -> tuple[str, ...]:
    """Names of all feature maps of a run, in the order of the pass."""
    return tuple(activation.name for activation in run.of(Kind.FEATURE_MAP))


def milestones(run: Run, most: int = 5) -> tuple[str, ...]:
    """Maps that tell the way of the picture: where the shape changes next, the first and the last.

    Where hardly any changes, as in a Mixer, others in between at even distances.
    """
    outputs = [found for found in run.of(Kind.FEATURE_MAP) if found.name.endswith("output")]
    shapes = [found.value.shape for found in outputs]
    turns = [i for i in range(len(outputs) - 1) if i == 0 or shapes[i] != shapes[i + 1]]
    if len(turns) < 2:
        turns = np.linspace(0, len(outputs) - 1, most).round().astype(int).tolist()[:-1]
    return tuple(outputs[i].name for i in sorted({*turns[: most - 1], len(outputs) - 1}))


def feature_map(run: Run, layer: str) -> FeatureMap:
    found = run.activations.get(layer)
    if found is None or found.kind is not Kind.FEATURE_MAP:
        raise ChoiceError(f"There is no feature map {layer!r} in this model; the first is {layers(run)[0]}.")
    return FeatureMap(layer, found.value[0].numpy())


def pca_colour(features: FeatureMap) -> np.ndarray:
    """The three directions in which places differ most, as red, green and blue `[h, w, 3]` in [0, 1].

    Each direction is turned so that its largest loading is positive, and scaled to its own range;
    the same map always gives the same colours.
    """
    rows, columns, _ = features.values.shape
    places = rearrange(torch.from_numpy(features.values).double(), "h w c -> (h w) c")
    centred = places - places.mean(dim=0)
    _, _, directions = torch.linalg.svd(centred, full_matrices=False)
    directions = directions[:3]
    largest = directions.gather(1, directions.abs().argmax(dim=1, keepdim=True))
    scores = centred @ (directions * largest.sign()).T
    low, high = scores.min(dim=0).values, scores.max(dim=0).values
    colours = ((scores - low) / (high - low).clamp_min(1e-12)).numpy()
    colours = np.pad(colours, ((0, 0), (0, 3 - colours.shape[1])))
    return rearrange(colours, "(h w) c -> h w c", h=rows, w=columns)
