"""A protocol asked of a model, method by method: means with intervals, and the controls beside them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.attribution.applicability import preflight
from explorer.attribution.benchmark.controls import CONTROLS, control
from explorer.attribution.benchmark.intervals import Interval, bootstrap
from explorer.attribution.benchmark.protocols import PROTOCOLS, Examined
from explorer.attribution.benchmark.trials import Explain, Trial, explaining
from explorer.attribution.options import Options
from explorer.attribution.registry import METHODS, method_named
from explorer.errors import ChoiceError


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one method scores, or in a sentence why it has no score."""

    protocol: str
    model: str
    weights: str
    source: str  # "scenes" or "photographs"
    method: str
    values: tuple[float, ...] = ()  # picture by picture
    controls: Mapping[str, tuple[float, ...]]  # the same, at the resolution of the method's maps
    reason: str = ""

    @property
    def interval(self) -> Interval | None:
        return bootstrap(self.values) if self.values else None

    @property
    def bar(self) -> float | None:
        """The upper end of the best control's interval."""
        ends = [bootstrap(one).high for one in self.controls.values() if one]
        return max(ends) if ends else None

    @property
    def clears(self) -> bool:
        """Whether the interval lies above those of all controls; only then has the method found anything."""
        return self.interval is not None and self.bar is not None and self.interval.low > self.bar


def trials_of(examined: Examined, protocol: str) -> list[Trial]:
    """What a protocol asks of a model. Raises ChoiceError where it cannot be asked."""
    if protocol not in PROTOCOLS:
        raise ChoiceError(f"There is no protocol {protocol!r}; the protocols are {', '.join(PROTOCOLS)}.")
    if reason := PROTOCOLS[protocol].refuses(examined):
        raise ChoiceError(reason)
    trials = list(PROTOCOLS[protocol].trials(examined))
    if not trials:
        raise ChoiceError(f"{examined.loaded.card.name} is not sure of enough pictures to measure with.")
    return trials


def rows(
    examined: Examined,
    protocol: str,
    methods: Sequence[str],
    options: Options,
    foreign: Mapping[str, Explain] | None = None,
) -> Iterator[Row]:
    """A row a method, as they are finished. `foreign` are methods of others by their names."""
    for method in methods:
        if method not in {*CONTROLS, *(foreign or {})}:
            method_named(method)
    trials = trials_of(examined, protocol)
    for method in methods:
        yield row(examined, protocol, method, options, trials, (foreign or {}).get(method))


def row(
    examined: Examined,
    protocol: str,
    method: str,
    options: Options,
    trials: Sequence[Trial],
    foreign: Explain | None = None,
) -> Row:
    """One method over all trials of a protocol."""
    loaded = examined.loaded
    about: Any = {
        "protocol": protocol,
        "model": loaded.card.name,
        "weights": loaded.weights,
        "source": examined.source,
        "method": method,
    }
    if foreign is None and (reason := meaningless(examined, method)):
        return Row(**about, controls={}, reason=reason)
    explain = foreign or explaining(method, loaded.preprocess, options)
    values: list[float] = []
    controls: dict[str, list[float]] = {name: [] for name in CONTROLS}
    for number, trial in enumerate(trials):
        asked = trial.questions
        if foreign is None and method in CONTROLS:
            maps = [control(method, one.image, one.image.shape[-2:], number) for one in asked]
        else:
            maps = [np.asarray(explain(one.model, one.image, one.target)) for one in asked]
        add(values, trial.scored(maps))
        for name, known in controls.items():
            beside = [
                control(name, one.image, made.shape, number) for one, made in zip(asked, maps, strict=True)
            ]
            add(known, trial.scored(beside))
    return Row(
        **about,
        values=tuple(values),
        controls={name: tuple(known) for name, known in controls.items()},
        reason="" if values else "Its maps have too few places, or say the same of all of them.",
    )


def add(values: list[float], value: float | None) -> None:
    if value is not None:
        values.append(round(value, 4))


def meaningless(examined: Examined, method: str) -> str:
    """Why a method has nothing to say about a class of a model; nothing where it has."""
    if method in CONTROLS:
        return ""
    if not METHODS[method].of_class:
        return f"{METHODS[method].title} knows nothing of the class."
    loaded = examined.loaded
    verdict = preflight(loaded.model, loaded.preprocess, method, next(loaded.model.parameters()).device)
    return verdict.reason if verdict.level == "meaningless" else ""
