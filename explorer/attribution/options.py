"""What a method may be told: one table that limits, controls, links and documentation are made from.

A new option is a row of `OPTIONS`, a field of `Options`, and a name in the `uses` of methods that read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Literal

from explorer.errors import ChoiceError


@dataclass(frozen=True, kw_only=True)
class OptionSpec:
    """One option: its values, and how it is called and offered."""

    kind: Literal["whole", "share", "choice", "layer", "class"]
    default: Any
    label: str  # above its control
    help: str  # one sentence
    limits: tuple[float, float] | None = None  # of a number, both included
    slider: tuple[int, int, int] | None = None  # lowest, highest and step of its control; None offers none
    choices: tuple[tuple[str, Any], ...] = ()  # words and value: all of a choice, the usual ones of a number
    link: str = ""  # its name in a link, where that is another


SEGMENT_SHAPES = (("a grid", "grid"), ("by colour (SLIC)", "slic"))
STEP_CHOICES = (
    ("until the gap is below 1 %", None),
    *((str(steps), steps) for steps in (25, 50, 100, 200, 400)),
)
BASELINE_CHOICES = (("black", "black"), ("mean colour", "mean"), ("blurred", "blur"), ("noise", "noise"))

OPTIONS: Mapping[str, OptionSpec] = MappingProxyType(
    {
        "layer": OptionSpec(
            kind="layer", default=None, label="Layer", link="cam", help="The feature map; None is the last."
        ),
        "steps": OptionSpec(
            kind="whole",
            default=None,
            label="Steps",
            limits=(2, 500),
            choices=STEP_CHOICES,
            help="Points on the path from the baseline to the image; None takes as many as the gap needs.",
        ),
        "samples": OptionSpec(
            kind="whole",
            default=24,
            label="Samples",
            limits=(1, 500),
            slider=(1, 200, 1),
            help="Noisy copies of the image.",
        ),
        "cells": OptionSpec(
            kind="whole",
            default=16,
            label="Windows a side",
            limits=(4, 32),
            slider=(4, 32, 4),
            link="windows",
            help="Windows along a side at the finest.",
        ),
        "segments": OptionSpec(
            kind="whole",
            default=36,
            label="Segments",
            limits=(2, 400),
            slider=(4, 144, 1),
            help="About how many parts the picture is cut into.",
        ),
        "shape": OptionSpec(
            kind="choice",
            default="grid",
            label="Segments are",
            choices=SEGMENT_SHAPES,
            help="Squares of a grid, or regions of one colour.",
        ),
        "draws": OptionSpec(
            kind="whole",
            default=200,
            label="Draws",
            limits=(4, 5_000),
            slider=(50, 1_000, 10),
            help="Random combinations of segments.",
        ),
        "orders": OptionSpec(
            kind="whole",
            default=8,
            label="Orders",
            limits=(1, 200),
            slider=(1, 40, 1),
            help="Random orders in which segments are added.",
        ),
        "channels": OptionSpec(
            kind="whole",
            default=48,
            label="Channels tried",
            limits=(1, 4_096),
            slider=(8, 256, 8),
            link="tried",
            help="Channels of the layer, the strongest first.",
        ),
        "baseline": OptionSpec(
            kind="choice",
            default="black",
            label="Baseline",
            choices=BASELINE_CHOICES,
            help="What counts as nothing.",
        ),
        "against": OptionSpec(
            kind="class",
            default=None,
            label="Rather than",
            help="Explain the class's logit minus that of this one.",
        ),
        "noise": OptionSpec(
            kind="share",
            default=0.15,
            label="Noise",
            limits=(0.0, 10.0),
            help="Standard deviation of the noise, as a share of the image's range of values.",
        ),
        "seed": OptionSpec(
            kind="whole", default=0, label="Seed", limits=(0, 2**31 - 1), help="Where random numbers start."
        ),
    }
)


@dataclass(frozen=True)
class Options:
    """What a method is told; each reads what its row in the registry names. See `OPTIONS`."""

    layer: str | None = OPTIONS["layer"].default
    steps: int | None = OPTIONS["steps"].default
    samples: int = OPTIONS["samples"].default
    cells: int = OPTIONS["cells"].default
    segments: int = OPTIONS["segments"].default
    shape: str = OPTIONS["shape"].default
    draws: int = OPTIONS["draws"].default
    orders: int = OPTIONS["orders"].default
    channels: int = OPTIONS["channels"].default
    baseline: str = OPTIONS["baseline"].default
    against: int | None = OPTIONS["against"].default
    noise: float = OPTIONS["noise"].default
    seed: int = OPTIONS["seed"].default


DEFAULTS = Options()


def checked(options: Options, layers: tuple[str, ...]) -> Options:
    """The options as they are. Raises ChoiceError about the first that makes no sense.

    layers: names of the feature maps there are.
    """
    for field in fields(options):
        spec, value = OPTIONS[field.name], getattr(options, field.name)
        known = [name for _, name in spec.choices]
        if value in known:
            continue
        if spec.limits and not spec.limits[0] <= value <= spec.limits[1]:
            low, high = spec.limits
            raise ChoiceError(f"{field.name} goes from {low:g} to {high:g}; {value} is outside.")
        if spec.kind == "choice":
            raise ChoiceError(f"The {field.name} is one of {', '.join(known)}; not {value!r}.")
        if spec.kind == "layer" and value is not None and value not in layers:
            raise ChoiceError(f"There is no feature map {value!r} in this model; the last is {layers[-1]}.")
    return options


def spoken(options: Options, names: tuple[str, ...]) -> str:
    """Some options as Python arguments: `steps=50, baseline='black'`."""
    return ", ".join(f"{name}={getattr(options, name)!r}" for name in names)
