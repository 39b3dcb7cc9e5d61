"""Answers to questions about a model and a picture, under the model's lock, and remembered."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from explorer.baselines import baseline_of
from explorer.capture import Run, probes, run
from explorer.code_walk import Walk, first_block, walk
from explorer.comparing import Comparing
from explorer.errors import ChoiceError, NoPictureError
from explorer.explaining import SINGLE, Explaining, Picture, digest, locked
from explorer.impulses import Impulses, impulses
from explorer.interventions import Intervention, edits
from explorer.knock_out import KnockOut, knock_out
from explorer.loading import Loaded, Models, labels_of
from explorer.machine import choose_device, choose_threads
from explorer.memory import Remembered
from explorer.mixing import mixer
from explorer.pictures import Geometry, open_picture, to_image
from explorer.predictions import Prediction, chosen_class, predictions
from explorer.reweighting import block_name, branch_weights
from explorer.tracing_fields import TracingFields
from explorer.typical import Typical, shipped, typical
from models.probe import Kind


class Explorer(Comparing, TracingFields, Explaining):
    """Answers questions about a model and a picture; remembers the last models, runs and attributions.

    Safe to share between threads. `weights` is a name the model's card lists, "random", or the path of a
    checkpoint; None means the first the card lists, and is refused where the card lists none.
    """

    def __init__(
        self, device: str = "auto", *, models_bytes: int = 1_000_000_000, runs_bytes: int = 400_000_000
    ) -> None:
        super().__init__()
        self.device = choose_device(device)
        torch.set_num_threads(choose_threads())
        self.models = Models(self.device, models_bytes)
        self._runs: Remembered[Run] = Remembered(runs_bytes, lambda found: found.bytes)
        self._tables: Remembered[KnockOut] = Remembered(5_000_000, lambda found: found.delta.nbytes)
        self._walks: Remembered[Walk] = Remembered(200_000_000, lambda found: found.bytes)
        self._shifts: Remembered[tuple[Impulses, ...]] = Remembered(
            20_000_000, lambda found: sum(one.strength.nbytes for one in found)
        )
        self._typical: Remembered[tuple[Typical, ...]] = Remembered(
            20_000_000, lambda found: sum(one.channels.nbytes for one in found)
        )

    def load(self, model: str, weights: str | Path | None = None) -> Loaded:
        """The model, in memory; weights that are not on this computer yet are fetched."""
        return self.models.load(model, weights)

    def labels(self, model: str, weights: str | Path | None = None) -> tuple[str, ...]:
        """Names of the classes, without loading anything."""
        return labels_of(model, weights)

    def image(
        self, model: str, picture: Picture | None, weights: str | Path | None = None
    ) -> tuple[Tensor, Geometry]:
        """The image `[1, 3, h, w]` this model sees of a picture, and where it lies in the picture."""
        if picture is None:
            raise NoPictureError
        return to_image(open_picture(picture), self.load(model, weights).preprocess)

    def digest(self, picture: Picture) -> str:
        """A short name for the content of a picture."""
        return hashlib.blake2b(open_picture(picture).tobytes(), digest_size=12).hexdigest()

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

        interventions: what takes the place of learned branch weights, see `explorer.interventions`.
        target: a class, to keep the gradient of its logit at what every block blends as well.
        """
        loaded = self.load(model, weights)
        image, _ = self.image(model, picture, weights)
        return self._run(loaded, image, tuple(interventions), target)

    def _run(
        self,
        loaded: Loaded,
        image: Tensor,
        interventions: tuple[Intervention, ...] = (),
        target: int | None = None,
    ) -> Run:
        key = (loaded.card.name, loaded.weights, digest(image), interventions, target)
        if remembered := self._runs.get(key):
            return remembered
        changes = edits(loaded.model, interventions)
        blended = () if target is None else blended_probes(loaded.model)
        with loaded.lock:
            return self._runs.get(key) or self._runs.keep(
                key,
                run(loaded.model, image.to(self.device), edits=changes, target=target, gradients_at=blended),
            )

    def has_passed(self, model: str, picture: Picture, weights: str) -> bool:
        """Whether the pass of a picture is remembered, so that to inspect it takes no time."""
        if not self.models.holds(model, weights):
            return False
        image, _ = self.image(model, picture, weights)
        return self._runs.get((model, weights, digest(image), (), None)) is not None

    def target(
        self,
        model: str,
        picture: Picture | None,
        weights: str | Path | None = None,
        target: int | None = None,
    ) -> int:
        """The class to explain: the one asked for, or the likeliest."""
        labels = self.load(model, weights).labels
        if not labels:
            raise ChoiceError(SINGLE)
        return chosen_class(self.inspect(model, picture, weights).logits, labels, target)

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
        loaded = self.load(model, weights)
        image, _ = self.image(model, picture, weights)
        index = self.target(model, picture, weights, target)
        key = (loaded.card.name, loaded.weights, digest(image), index, mode)
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
        loaded = self.load(model, weights)
        image, _ = self.image(model, picture, weights)
        name = first_block(loaded.model) if block is None else block
        key = (loaded.card.name, loaded.weights, digest(image), name)
        if remembered := self._walks.get(key):
            return remembered
        with loaded.lock:
            return self._walks.keep(key, walk(loaded.model, image.to(self.device), name))

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
        with loaded.lock:
            return self._shifts.get(key) or self._shifts.keep(key, tuple(map(impulses, steps)))

    def predict(
        self, model: str, picture: Picture | None, weights: str | Path | None = None, most: int = 5
    ) -> tuple[Prediction, ...]:
        labels = self.load(model, weights).labels
        if not labels:
            raise ChoiceError(SINGLE)
        return predictions(self.inspect(model, picture, weights).logits, labels, most)


def blended_probes(model: nn.Module) -> list[str]:
    """Names of the probes of what split attentions blend."""
    return [f"{block_name(name)}.blended" for name in probes(model, Kind.BRANCH_WEIGHTS)]
