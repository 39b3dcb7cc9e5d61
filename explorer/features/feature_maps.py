"""What the channels of a feature map look like, one by one and all together."""

from dataclasses import dataclass

import numpy as np
from einops import rearrange
from torch import Tensor

from explorer.capture import Activation, Run
from explorer.errors import ChoiceError, NoMapError
from explorer.features.pca import components
from models.probe import PLACELESS, Kind

SORTS = ("activation", "variance", "number")
BRANCH = " · "  # between the name of a probe of branches and that of one of them


@dataclass(frozen=True)
class FeatureMap:
    """One probed map, `values` `[h, w, c]` in the model's own units.

    Of attention, the rows are the places that ask, the columns those that are asked, the channels the heads.
    """

    layer: str
    values: np.ndarray
    kind: Kind = Kind.FEATURE_MAP

    @property
    def channels(self) -> int:
        return self.values.shape[-1]

    @property
    def has_places(self) -> bool:
        """Whether rows and columns are those of the picture."""
        return self.kind is not Kind.ATTENTION

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
    outputs = run.outputs()
    shapes = [found.value.shape for found in outputs]
    changes = [i for i in range(len(outputs) - 1) if i == 0 or shapes[i] != shapes[i + 1]]
    if len(changes) < 2:
        changes = np.linspace(0, len(outputs) - 1, most).round().astype(int).tolist()[:-1]
    return tuple(outputs[i].name for i in sorted({*changes[: most - 1], len(outputs) - 1}))


def probed(run: Run) -> tuple[str, ...]:
    """Names of everything probed, in the order of the pass; each branch of a block by its own name."""
    names: list[str] = []
    for found in run.activations.values():
        if found.kind is Kind.BRANCH_LOGITS:
            continue  # the shares tell the same
        each = [f"{found.name}{BRANCH}{branch}" for branch in found.branches]
        names += each if found.kind is Kind.BRANCHES else [found.name]
    return tuple(names)


def feature_map(run: Run, layer: str) -> FeatureMap:
    """The map of that name, see `probed`; raises ChoiceError for what has no places or is not there."""
    found = probe_of(run, layer)
    return FeatureMap(layer, map_of(found, layer, found.value), found.kind)


def probe_of(run: Run, layer: str) -> Activation:
    """The probe a map is of."""
    found = run.activations.get(layer.partition(BRANCH)[0])
    if found is None or (found.kind is Kind.BRANCHES and layer.partition(BRANCH)[2] not in found.branches):
        raise ChoiceError(f"There is no feature map {layer!r} in this model; the first is {layers(run)[0]}.")
    if found.kind in PLACELESS:
        raise NoMapError(placeless(found), layer)
    return found


def placeless(found: Activation) -> str:
    """Why a probe has no map, and where to look instead."""
    channels = found.value.shape[-1]
    if found.kind is Kind.CHANNEL_GATE:
        return f"This is one gate for each of {channels} channels, without places; choose a layer before it."
    if found.kind is not Kind.VECTOR:
        return (
            f"These are the shares of {len(found.branches)} branches in {channels} channels, without places; "
            "the tab Reweighting shows them."
        )
    return f"This is one vector of {channels} numbers, without places; choose a layer before it."


def map_of(found: Activation, layer: str, value: Tensor) -> np.ndarray:
    """What a map shows `[h, w, c]` of its probe's tensor, or of the gradient there."""
    if found.kind is Kind.BRANCHES:
        return value[0, found.branches.index(layer.partition(BRANCH)[2])].numpy()
    if found.kind is Kind.ATTENTION:
        return rearrange(value, "b heads q k -> q k (b heads)").numpy()
    return value[0].numpy()


def same_stream(run: Run, layer: str) -> tuple[FeatureMap, ...]:
    """Every map with as many channels as this one, of the same kind and branch, in the order of the pass."""
    here = feature_map(run, layer)
    names = [
        name
        for name in probed(run)
        if run.activations[name.partition(BRANCH)[0]].kind is here.kind
        and name.partition(BRANCH)[2] == layer.partition(BRANCH)[2]
    ]
    return tuple(found for name in names if (found := feature_map(run, name)).channels == here.channels)


def pca_colour(features: FeatureMap) -> np.ndarray:
    """The three directions in which places differ most, as red, green and blue `[h, w, 3]` in [0, 1].

    Each is scaled to its own range; the same map always gives the same colours, see `explorer.features.pca`.
    """
    scores = components(features.values)
    low, high = scores.min(axis=(0, 1)), scores.max(axis=(0, 1))
    return (scores - low) / np.maximum(high - low, 1e-12)
