"""A protocol asked of a model, method by method: means with intervals, and the controls beside them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
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

NOBODYS: Mapping[str, Explain] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one method scores, or in a sentence why it has no score."""

    protocol: str
    model: str
    weights: str
    source: str  # "scenes" or "photographs"
    method: str
    found: Interval | None = None
    controls: Mapping[str, Interval] = field(default_factory=dict)  # at the resolution of the method's maps
    pictures: int = 0  # that it was measured with
    reason: str = ""

    @property
    def bar(self) -> float | None:
        """The upper end of the best control's interval."""
        return max((one.high for one in self.controls.values()), default=None)

    @property
    def clears(self) -> bool:
        """Whether the interval lies above those of all controls; only then has the method found anything."""
        return self.found is not None and self.bar is not None and self.found.low > self.bar


def trials_of(examined: Examined, protocol: str) -> list[Trial]:
    """What a protocol asks of a model. Raises ChoiceError where it cannot be asked."""
    trials = list(one_by_one(examined, protocol))
    if not trials:
        raise ChoiceError(f"{examined.loaded.card.name} is not sure of enough pictures to measure with.")
    return trials


def one_by_one(examined: Examined, protocol: str) -> Iterator[Trial]:
    """The trials of a protocol, made as they are taken. Raises ChoiceError where it cannot be asked."""
    if protocol not in PROTOCOLS:
        raise ChoiceError(f"There is no protocol {protocol!r}; the protocols are {', '.join(PROTOCOLS)}.")
    if reason := PROTOCOLS[protocol].refuses(examined):
        raise ChoiceError(reason)
    return PROTOCOLS[protocol].trials(examined)


def rows(
    examined: Examined,
    protocol: str,
    methods: Sequence[str],
    options: Options,
    foreign: Mapping[str, Explain] = NOBODYS,
) -> Iterator[Row]:
    """A row a method, as they are finished. `foreign` are methods of others by their names."""
    for method in methods:
        if method not in {*CONTROLS, *foreign}:
            method_named(method)
    trials, known = trials_of(examined, protocol), Controls()
    for method in methods:
        about: Any = {**examined.about, "protocol": protocol, "method": method}
        if method not in foreign and (reason := meaningless(examined, method)):
            yield Row(**about, reason=reason)
            continue
        explain = foreign.get(method) or explaining(method, examined.loaded.preprocess, options)
        yield row(about, method, explain, trials, known)


class Controls:
    """What the controls score, trial by trial; made once for every resolution that a method has."""

    def __init__(self) -> None:
        self.known: dict[tuple, float | None] = {}

    def scored(
        self, name: str, number: int, trial: Trial, shapes: tuple[tuple[int, ...], ...]
    ) -> float | None:
        key = name, number, shapes
        if key not in self.known:
            pairs = zip(trial.questions, shapes, strict=True)
            self.known[key] = trial.scored([control(name, one.image, shape, number) for one, shape in pairs])
        return self.known[key]


def row(
    about: Mapping[str, Any], method: str, explain: Explain, trials: Sequence[Trial], known: Controls
) -> Row:
    """One method over all trials of a protocol."""
    values: list[float | None] = []
    controls: dict[str, list[float | None]] = {name: [] for name in CONTROLS}
    for number, trial in enumerate(trials):
        whole = tuple(one.image.shape[-2:] for one in trial.questions)
        if method in CONTROLS:
            values.append(known.scored(method, number, trial, whole))
            shapes: tuple[tuple[int, ...], ...] = whole
        else:
            maps = [np.asarray(explain(one.model, one.image, one.target)) for one in trial.questions]
            values.append(trial.scored(maps))
            shapes = tuple(made.shape for made in maps)
        for name, scores in controls.items():
            scores.append(known.scored(name, number, trial, shapes))
    told = [one for one in values if one is not None]
    beside = {name: [one for one in scores if one is not None] for name, scores in controls.items()}
    return Row(
        **about,
        found=bootstrap(told) if told else None,
        controls={name: bootstrap(scores) for name, scores in beside.items() if scores},
        pictures=len(told),
        reason="" if told else "Its maps have too few places for this to be measured.",
    )


def meaningless(examined: Examined, method: str) -> str:
    """Why a method has nothing to say about a class of a model; nothing where it has."""
    if method in CONTROLS:
        return ""
    if not METHODS[method].of_class:
        return f"{METHODS[method].title} knows nothing of the class."
    loaded = examined.loaded
    verdict = preflight(loaded.model, loaded.preprocess, method, next(loaded.model.parameters()).device)
    return verdict.reason if verdict.level == "meaningless" else ""
