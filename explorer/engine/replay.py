"""Run the rest of a network again, from one probe on, without computing what comes before it.

While a picture passes once, the outputs of all modules are noted that end before a probe is reached. When the
rest is run, those modules hand out what they gave then. What is computed is the same arithmetic on the same
values, so the result is that of the whole pass, bit for bit. Models of others may write into their tensors or
run a part twice; `check` finds out, and then the whole pass is run.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from explorer.any_model.foreign import Foreign


class Replay:
    """One picture's way through a model, remembered up to each of some probes."""

    def __init__(self, model: nn.Module, image: Tensor, probes: Collection[str]) -> None:
        self.model = model
        self.image = image
        self.learned: Tensor | None = None
        begun, ended = timetable(model, image)
        self.before = {probe: finished(begun[probe], ended) for probe in probes}
        self.outputs = outputs(model, image, {name for names in self.before.values() for name in names})

    @torch.no_grad()
    def whole(self) -> Tensor:
        """The logits of the whole pass, with nobody listening: computed once."""
        if self.learned is None:
            self.learned = self.model(self.image)
        return self.learned

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

    def check(self, probe: str) -> None:
        """Run the rest with nothing changed: where that is not the pass it was, run all of it from now on."""
        if isinstance(self.model, Foreign) and not torch.equal(self.logits(probe), self.whole()):
            self.before[probe] = []

    @torch.no_grad()
    def logits(self, probe: str) -> Tensor:
        """The rest of the pass from a probe on; hooks attached by the caller do their work."""
        with self.up_to(probe):
            return self.model(self.image)


def handing_out(value):
    return lambda *_args, **_kwargs: copied(value)


def copied(value: Any) -> Any:
    """The same tensors anew, in lists, tuples and dicts as well: whoever takes them may write into them."""
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, dict):
        return type(value)({key: copied(one) for key, one in value.items()})
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(copied(one) for one in value)
    return value


@torch.no_grad()
def timetable(model: nn.Module, image: Tensor) -> tuple[dict[str, int], dict[str, int]]:
    """When each module begins for the first time, and when each that runs once ends."""
    clock = 0
    calls: Counter[str] = Counter()
    begun: dict[str, int] = {}
    ended: dict[str, int] = {}
    handles = []

    def note(times: dict[str, int], name: str) -> None:
        nonlocal clock
        clock += 1
        times.setdefault(name, clock)
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
    return begun, {name: time for name, time in ended.items() if calls[name] == 1}


def finished(moment: int, ended: dict[str, int]) -> list[str]:
    """The largest modules that have ended at a moment: those whose parents have not."""
    over = {name for name, time in ended.items() if time < moment}
    return [name for name in ended if name in over and name.rpartition(".")[0] not in over]


@torch.no_grad()
def outputs(model: nn.Module, image: Tensor, names: Collection[str]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    handles = []
    try:
        for name in names:
            hook = lambda _m, _a, value, n=name: kept.__setitem__(n, copied(value))  # noqa: E731
            handles.append(model.get_submodule(name).register_forward_hook(hook))
        model(image)
    finally:
        for handle in handles:
            handle.remove()
    return kept
