"""Run the rest of a network again, from one probe on, without computing what comes before it.

While a picture passes once, the outputs of all modules are noted that end before a probe is reached. When the
rest is run, those modules hand out what they gave then. What is computed is the same arithmetic on the same
values, so the result is that of the whole pass, bit for bit.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Replay:
    """One picture's way through a model, remembered up to each of some probes."""

    def __init__(self, model: nn.Module, image: Tensor, probes: Collection[str]) -> None:
        self.model = model
        self.image = image
        begun, ended = timetable(model, image)
        self.before = {probe: finished(begun[probe], ended) for probe in probes}
        self.outputs = outputs(model, image, {name for names in self.before.values() for name in names})

    @contextmanager
    def up_to(self, probe: str) -> Iterator[None]:
        """For the length of a `with` block, whatever ended before the probe hands out what it gave."""
        stubbed = [self.model.get_submodule(name) for name in self.before[probe]]
        try:
            for name, module in zip(self.before[probe], stubbed, strict=True):
                module.forward = handing_out(self.outputs[name])
            yield
        finally:
            for module in stubbed:
                module.__dict__.pop("forward", None)

    @torch.no_grad()
    def logits(self, probe: str) -> Tensor:
        """The rest of the pass from a probe on; hooks attached by the caller do their work."""
        with self.up_to(probe):
            return self.model(self.image)


def handing_out(value):
    return lambda *_args, **_kwargs: value


@torch.no_grad()
def timetable(model: nn.Module, image: Tensor) -> tuple[dict[str, int], dict[str, int]]:
    """When each module begins and ends; those that run more than once are in neither."""
    clock = 0
    calls: Counter[str] = Counter()
    begun: dict[str, int] = {}
    ended: dict[str, int] = {}
    handles = []

    def note(times: dict[str, int], name: str) -> None:
        nonlocal clock
        clock += 1
        times[name] = clock
        calls[name] += times is ended

    try:
        for name, module in model.named_modules():
            if name:
                handles.append(module.register_forward_pre_hook(lambda *_, n=name: note(begun, n)))
                handles.append(module.register_forward_hook(lambda *_, n=name: note(ended, n)))
        model(image)
    finally:
        for handle in handles:
            handle.remove()
    once = [name for name in ended if calls[name] == 1]
    return {name: begun[name] for name in once}, {name: ended[name] for name in once}


def finished(moment: int, ended: dict[str, int]) -> list[str]:
    """The largest modules that have ended at a moment: those whose parents have not."""
    over = {name for name, time in ended.items() if time < moment}
    return [name for name in ended if name in over and name.rpartition(".")[0] not in over]


@torch.no_grad()
def outputs(model: nn.Module, image: Tensor, names: Collection[str]) -> dict[str, Tensor]:
    kept: dict[str, Tensor] = {}
    handles = []
    try:
        for name in names:
            hook = lambda _m, _a, value, n=name: kept.__setitem__(n, value)  # noqa: E731
            handles.append(model.get_submodule(name).register_forward_hook(hook))
        model(image)
    finally:
        for handle in handles:
            handle.remove()
    return kept
