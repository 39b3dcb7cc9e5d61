"""Answers to questions about a model and a picture, under the model's lock, and remembered."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from explorer.attribution.baselines import baseline_of
from explorer.attribution.service import Explaining
from explorer.capture import Run, probes, run
from explorer.code_walk.walk import Walk, first_block, walk
from explorer.engine.cache import Remembered
from explorer.engine.engine import SINGLE, Picture, locked
from explorer.errors import ChoiceError
from explorer.features.service import Comparing
from explorer.mixing.mixers import mixer
from explorer.mixing.service import TracingFields
from explorer.mixing.shift_impulses import Impulses, impulses
from explorer.predictions import Prediction, predictions
from explorer.reweighting.ablation import KnockOut, knock_out
from explorer.reweighting.branch_weights import branch_weights
from explorer.reweighting.interventions import Intervention
from explorer.reweighting.reference_shares import Typical, shipped, typical
from models.probe import Kind

WARM = 0.5  # seconds that may be spent to learn what a pass takes


class Explorer(Comparing, TracingFields, Explaining):
    """Answers questions about a model and a picture; remembers the last models, runs and attributions.

    Safe to share between threads. `weights` is a name the model's card lists, "random", or the path of a
    checkpoint; None means the first the card lists, and is refused where the card lists none.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._tables: Remembered[KnockOut] = Remembered(5_000_000, lambda found: found.delta.nbytes)
        self._walks: Remembered[Walk] = Remembered(200_000_000, lambda found: found.bytes)
        self._shifts: Remembered[tuple[Impulses, ...]] = Remembered(
            20_000_000, lambda found: sum(one.strength.nbytes for one in found)
        )
        self._seconds: Remembered[float] = Remembered(1_000, lambda _: 1)
        self._typical: Remembered[tuple[Typical, ...]] = Remembered(
            20_000_000, lambda found: sum(one.channels.nbytes for one in found)
        )

    def layers(self, model: str, kind: Kind, weights: str | Path | None = None) -> tuple[str, ...]:
        """Names of the probes of a kind, in the order of the pass."""
        return tuple(probes(self.load(model, weights).model, kind))

    def inspect(
        self,
        model: str,
        picture: Picture | None,
        weights: str | Path | None = None,
        *,
        interventions: Sequence[Intervention] = (),
        target: int | None = None,
    ) -> Run:
        """One forward pass with every probe; a remembered one is returned at once.

        interventions: what takes the place of learned shares, see `explorer.reweighting.interventions`.
        target: a class, to keep the gradient of its logit at what every block blends as well.
        """
        loaded, image, _ = self._seen(model, picture, weights)
        return self._run(loaded, image, tuple(interventions), target)

    def pass_seconds(self, model: str, picture: Picture | None, weights: str | Path | None = None) -> float:
        """What a pass takes here once the model is warm; to tell what longer work will take."""
        loaded, image, _ = self._seen(model, picture, weights)
        first = self._run(loaded, image)
        key = (loaded.card.name, loaded.weights)

        def again() -> float:
            taken = [run(loaded.model, image.to(self.device)).seconds]
            while len(taken) < 3 and sum(taken) < WARM:  # the computer may be busy with something else
                taken.append(run(loaded.model, image.to(self.device)).seconds)
            return min(taken)

        return min(first.seconds, self._once(self._seconds, key, loaded, again))

    def has_passed(self, model: str, picture: Picture, weights: str) -> bool:
        """Whether the pass of a picture is remembered, so that to inspect it takes no time."""
        if not self.models.holds(model, weights):
            return False
        _, _, key = self._seen(model, picture, weights, (), None)
        return self._runs.get(key) is not None

    def knock_out(
        self,
        model: str,
        picture: Picture | None,
        weights: str | Path | None = None,
        *,
        target: int | None = None,
        mode: str = "removed",
    ) -> Iterator[KnockOut]:
        """The knock-out table, one row more each time; the lock is held for one row at a time."""
        loaded, image, seen = self._seen(model, picture, weights, mode)
        index = self._class(loaded, image, target)
        key = (*seen, index)
        if remembered := self._tables.get(key):
            yield remembered
            return
        for table in locked(
            loaded.lock,
            knock_out(
                loaded.model,
                image.to(self.device),
                target=index,
                mode=mode,
                baseline=baseline_of(image, loaded.preprocess, "black").to(self.device),
            ),
        ):
            if table.done == table.total:
                self._tables.keep(key, table)
            yield table

    def code_walk(
        self,
        model: str,
        picture: Picture | None,
        weights: str | Path | None = None,
        *,
        block: str | None = None,
    ) -> Walk:
        """What every line of a block's source makes of a picture; None for the block worth beginning with."""
        name = first_block(self.load(model, weights).model) if block is None else block
        loaded, image, key = self._seen(model, picture, weights, name)
        return self._once(self._walks, key, loaded, lambda: walk(loaded.model, image.to(self.device), name))

    def typical(
        self, model: str, weights: str | Path | None = None, pictures: Sequence[Picture] = ()
    ) -> tuple[Typical, ...] | None:
        """How the model usually blends: as shipped with its weights, or over pictures given now or before.

        None where nothing is shipped and no pictures were given; empty for a model without split attention.
        """
        loaded = self.load(model, weights)
        key = (loaded.card.name, loaded.weights)
        known = self._typical.get(key)
        if known is None and not pictures:
            shipped_for = loaded.card.name if loaded.weights == "scenes" else ""
            known = shipped(shipped_for)
        if known is not None or not pictures:
            return known
        runs = [branch_weights(self.inspect(model, picture, weights)) for picture in pictures]
        return self._typical.keep(key, typical(runs, source="pictures"))

    def shifts(self, model: str, weights: str | Path | None, block: str) -> tuple[Impulses, ...]:
        """From where every channel gets its values in the steps of a block, measured once with impulses."""
        loaded = self.load(model, weights)
        steps = mixer(loaded.model, "shifts", block).mixing_steps()
        key = (loaded.card.name, loaded.weights, block)
        return self._once(self._shifts, key, loaded, lambda: tuple(map(impulses, steps)))

    def predict(
        self, model: str, picture: Picture | None, weights: str | Path | None = None, most: int = 5
    ) -> tuple[Prediction, ...]:
        labels = self.load(model, weights).labels
        if not labels:
            raise ChoiceError(SINGLE)
        return predictions(self.inspect(model, picture, weights).logits, labels, most)
