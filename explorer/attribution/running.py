"""Runs a method: which parts of a picture a class owes its logit to, as a stream that only gets better.

Between two parts nothing is left in the model, so others may use it, and whoever stops asking has
stopped the work.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from einops import reduce
from PIL import Image
from torch import Tensor, nn

from explorer.attribution.baselines import BASELINES, baseline_of
from explorer.attribution.doubts import doubt
from explorer.attribution.methods.case import Case, Part, logit_change
from explorer.attribution.options import DEFAULTS, Options, checked
from explorer.attribution.registry import Method, method_named
from explorer.capture import probes
from explorer.errors import ChoiceError
from explorer.in_notebook import InNotebook
from explorer.pictures import to_image
from models import scenes
from models.memory import is_short_of_memory
from models.probe import Kind
from models.registry import Preprocess


@dataclass(frozen=True, kw_only=True)
class Attribution(InNotebook):
    """How much each place adds to the logit of one class; with `signed`, or how much it matters."""

    method: str
    target: int
    label: str
    values: np.ndarray  # [h, w], in the method's unit, summed over colours; at the method's own resolution
    signed: bool
    done: int  # parts of `total` that are in
    total: int
    completeness_gap: float | None  # sum of values - change; None if not promised
    change: float | None  # of the logit, from the baseline to the picture; None if no method promises it
    steps: int | None  # of the path the values were taken along; None where there is none
    seconds: float  # of work so far
    warning: str | None

    @property
    def gap(self) -> float | None:
        """The completeness gap as a part of the logit's change, without sign; None if not promised."""
        if self.completeness_gap is None or self.change is None:
            return None
        return abs(self.completeness_gap) / max(abs(self.change), 1e-12)

    @property
    def says_something(self) -> bool:
        """Whether the values are numbers, and not the same everywhere."""
        return bool(np.isfinite(self.values).all()) and float(np.ptp(self.values)) > 0


def attributions(
    model: nn.Module,
    image: Tensor,
    preprocess: Preprocess,
    *,
    method: str,
    target: int,
    label: str = "",
    options: Options = DEFAULTS,
) -> Iterator[Attribution]:
    """Attribute the logit `target` of `image` `[1, 3, h, w]`, part by part.

    Every step between two results is one Captum call; hooks live only inside it.
    """
    found = method_named(method)
    checked(options, tuple(probes(model, Kind.FEATURE_MAP)))
    case = case_of(model, image, preprocess, target, options)
    change = logit_change(case) if found.complete else None
    seconds, start = 0.0, time.perf_counter()
    for part, short in in_memory(found, case):
        values = reduce(part.values.detach(), "1 c h w -> h w", "sum").cpu().numpy().astype(np.float32)
        seconds += time.perf_counter() - start
        gap = None if change is None else float(values.sum(dtype=np.float64)) - change
        yield Attribution(
            method=method,
            target=target,
            label=label,
            values=values,
            signed=found.signed,
            done=part.done,
            total=part.total,
            completeness_gap=gap,
            change=change,
            steps=part.steps,
            seconds=seconds,
            warning=(doubt(values, gap, change) or short) if part.done == part.total else None,
        )
        start = time.perf_counter()


def in_memory(method: Method, case: Case) -> Iterator[tuple[Part, str | None]]:
    """The parts of a method; where memory runs out, all of them again in batches half as large."""
    short = None
    while True:
        try:
            for part in method.stream(case):
                yield part, short
            return
        except (MemoryError, RuntimeError) as error:
            if not is_short_of_memory(error):
                raise
            if case.at_once == 1:
                raise ChoiceError(
                    f"There is not enough memory for {method.title} of this model here."
                ) from error
            case = replace(case, halved=case.halved + 1)
            short = f"Memory was short: computed {case.at_once} images at a time."


def case_of(model: nn.Module, image: Tensor, preprocess: Preprocess, target: int, options: Options) -> Case:
    def every() -> tuple[Tensor, ...]:
        return tuple(baseline_of(image, preprocess, name, options.seed) for name in BASELINES)

    def scenes_seen(count: int) -> Tensor:
        height, width = image.shape[-2:]
        seen = replace(preprocess, size=height, width=width)
        drawn = (scenes.draw(seed, max(height, width)).picture for seed in range(count))
        return torch.cat([to_image(Image.fromarray(one), seen)[0] for one in drawn])

    chosen = baseline_of(image, preprocess, options.baseline, options.seed)
    return Case(model, image, chosen, target, options, every, scenes_seen)
