"""A model of somebody else with the probes that were found, as if they stood in it.

The model is not changed: the parts and parameters here are its own, under their own names. What was found is
led past its probes only while a pass runs of which somebody hears something.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from explorer.any_model.found_probes import Station
from explorer.any_model.functions import MULTIHEAD
from explorer.any_model.listening import heard
from explorer.any_model.opened_attention import FAST_PATH
from explorer.any_model.outputs import tensors_in
from explorer.any_model.places import Parts, Plan
from explorer.errors import ChoiceError
from models.probe import Probe
from models.random_state import seeded

LOGITS = ("logits", "prediction", "predictions", "pred", "out", "output")


class Foreign(nn.Module):
    """Takes `[b, 3, h, w]` and gives logits `[b, classes]` in 32 bits, whatever the model itself works in."""

    inner: nn.Module
    stations: Sequence[Station]
    parts: Parts
    probed: Mapping[str, Probe]  # all probes by name, those that its own code declares among them
    last: tuple[tuple[Station, ...], Plan | None]  # what was read last, and how
    has_fast_path: bool  # PyTorch could compute attention where nobody can listen; here it never does
    found: Any  # `explorer.any_model.find.Found`; None where nothing was looked for
    classes: int | None  # how many it tells apart, where it gives more than logits

    def __init__(
        self,
        inner: nn.Module,
        stations: Sequence[Station] = (),
        found: Any = None,
        classes: int | None = None,
    ) -> None:
        super().__init__()
        self.__dict__.update(
            inner=inner,
            stations=tuple(stations),
            found=found,
            classes=classes,
            parts=Parts(inner, found.calls) if found else Parts(inner),
            has_fast_path=any(place.function == MULTIHEAD for one in stations for place in one.places),
            last=((), None),
            training=inner.training,
            _modules=inner._modules,
            _parameters=inner._parameters,
            _buffers=inner._buffers,
        )
        named = dict(self.named_modules())
        self.__dict__["probed"] = {name: part for name, part in named.items() if isinstance(part, Probe)}

    def forward(self, image: Tensor) -> Tensor:
        used = tuple(station for station in self.stations if station.probe.is_used)
        if len(image) > 1 and not used and self.found and self.found.trial.alone:
            return torch.cat([self(one) for one in image.split(1)])
        with (
            seeded(0) if self.found and self.found.is_random else nullcontext(),
            FAST_PATH.off() if self.has_fast_path else nullcontext(),
            heard(self.plan(used)) if used else nullcontext(),
        ):
            return logits_in(self.inner(as_taken(self.inner, image)), self.classes)

    def plan(self, used: tuple[Station, ...]) -> Plan:
        """How a pass is listened to; kept where all is only read, which is the same for every pass."""
        only_read = all(station.is_only_read for station in used)
        known, plan = self.last
        if plan is not None and only_read and known == used:
            return plan
        routes = {place: change for station in used for place, change in station.routes().items()}
        plan = Plan(routes, self.parts)
        if only_read:
            self.__dict__["last"] = used, plan
        return plan

    def named_modules(
        self, memo: set[nn.Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, nn.Module]]:
        """The model's own parts, then the probes in the order of the pass."""
        yield from self.inner.named_modules(memo, prefix, remove_duplicate)
        for station in self.stations:
            yield f"{prefix}.{station.name}".lstrip("."), station.probe

    def get_submodule(self, target: str) -> nn.Module:
        probes = {station.name: station.probe for station in self.stations}
        return probes[target] if target in probes else self.inner.get_submodule(target)

    def train(self, mode: bool = True) -> "Foreign":
        self.inner.train(mode)
        self.training = mode
        return self


def as_taken(model: nn.Module, image: Tensor) -> Tensor:
    """An image in the kind of number the model works in."""
    weight = next((one for one in model.parameters() if one.is_floating_point()), image)
    return image.to(weight.dtype)


def logits_in(output: Any, classes: int | None = None) -> Tensor:
    """The logits of what a model gives: its only tensor of two axes, or the one called so.

    classes: of several tensors the one with so many columns is meant.

    Raises ChoiceError where neither tells.
    """
    if isinstance(output, Mapping):
        named = next((output[name] for name in LOGITS if isinstance(output.get(name), Tensor)), None)
        if named is not None:
            return logits_in(named, classes)
    named = getattr(output, "logits", None)
    found = [named] if isinstance(named, Tensor) else [one for one in tensors_in(output) if one.ndim == 2]
    if len(found) > 1 and classes is not None:
        found = [one for one in found if one.shape[1] == classes]
    if len(found) != 1:
        which = " Labels, one a class, say which of them are the logits." if len(found) > 1 else ""
        raise ChoiceError(
            f"A model has to give logits, one number a class for each picture; this one gives {told(output)}."
            + which
        )
    return found[0].float()


def told(output: Any) -> str:
    shapes = [" × ".join(map(str, one.shape)) for one in tensors_in(output)]
    return f"tensors of {', '.join(shapes[:4])}" if shapes else type(output).__name__
