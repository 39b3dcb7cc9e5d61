"""By which ways a model mixes places, and where in it: by attention, by learned matrices, or by shifts."""

from typing import Any, cast

from torch import nn

from explorer.capture import Activation, Run, probes
from explorer.errors import ChoiceError
from models.mixing import HasMatrices, HasSteps
from models.probe import Kind

MIXERS: dict[str, Any] = {"matrices": HasMatrices, "shifts": HasSteps}


def ways(model: nn.Module) -> tuple[str, ...]:
    """Which of "attention", "matrices" and "shifts" a model mixes places by."""
    attention = ("attention",) if probes(model, Kind.ATTENTION) else ()
    return (*attention, *(way for way in MIXERS if mixers(model, way)))


def mixers(model: nn.Module, way: str) -> dict[str, nn.Module]:
    """The modules that mix by "matrices" or by "shifts", by name."""
    kind = MIXERS[way]
    return {name: module for name, module in model.named_modules() if isinstance(module, kind)}


def mixer_by_matrices(model: nn.Module, block: str) -> HasMatrices:
    """The block of that name that has learned weights between places; raises ChoiceError without it."""
    return cast(HasMatrices, mixer(model, "matrices", block))


def mixer_by_shifts(model: nn.Module, block: str) -> HasSteps:
    """The block of that name that moves or convolves channels; raises ChoiceError without it."""
    return cast(HasSteps, mixer(model, "shifts", block))


def mixer(model: nn.Module, way: str, block: str) -> nn.Module:
    """The block of that name that mixes by a way; raises ChoiceError where there is none."""
    found = mixers(model, way)
    if block not in found:
        raise ChoiceError(f"There is no block {block!r} that mixes by {way}; there are {', '.join(found)}.")
    return found[block]


def map_near(run: Run, name: str) -> Activation:
    """The first feature map of the innermost module that holds both it and the module or probe `name`."""
    parts = name.split(".")

    def shared(found: Activation) -> int:
        theirs = found.name.split(".")
        same = [one == other for one, other in zip(parts, theirs, strict=False)]
        return (*same, False).index(False)

    return max(run.of(Kind.FEATURE_MAP), key=shared)  # of equals the first
