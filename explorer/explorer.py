"""The public way in: questions about a model and a picture, answered by name.

Each method makes the input ready and hands the question to the service of its room.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from explorer.any_model.find import Found, Given
from explorer.any_model.service import AnyModelService
from explorer.attribution.applicability import Verdict
from explorer.attribution.options import DEFAULTS, Options
from explorer.attribution.running import Attribution
from explorer.attribution.score_card import ScoreCard
from explorer.attribution.service import AttributionService, Question
from explorer.capture import Run, probes
from explorer.code_walk.service import CodeWalkService
from explorer.code_walk.walk import Walk
from explorer.engine.cache import Cache
from explorer.engine.engine import Engine
from explorer.engine.limits import Limits
from explorer.engine.model_input import ModelInput
from explorer.engine.model_store import Loaded
from explorer.engine.picture_store import Source
from explorer.familiarity.reference import Familiarity, familiarity
from explorer.features.block_costs import Costs
from explorer.features.comparison import Likeness
from explorer.features.service import ComparisonService
from explorer.mixing.receptive_field import EffectiveField, SensitivityMap
from explorer.mixing.service import MixingService
from explorer.mixing.shift_impulses import Impulses
from explorer.pictures import Geometry
from explorer.predictions import Prediction, predictions
from explorer.remembered import Remembered
from explorer.reweighting.ablation import KnockOut
from explorer.reweighting.interventions import Change
from explorer.reweighting.reference_shares import Typical
from explorer.reweighting.service import ReweightingService
from models.probe import Kind
from models.registry import Preprocess
from models.sources import Progress, silent

Weights = str | Path | None
Picture = Source | None  # None where nothing was uploaded, which is refused with a sentence
Class = int | None  # None is the predicted one
Channel = int | None  # None is all together
Place = tuple[int, int]  # row, column


class Explorer:
    """Answers questions about a model and a picture, and remembers the answers within one budget of bytes.

    Safe to share between threads. `picture` is a PIL image, a path or the bytes of a file. `weights` is a
    name the model's card lists, "random", or the path of a checkpoint; None means the first the card lists,
    and is refused where the card lists none. What a person can do wrong raises an `ExplorerError`.
    """

    def __init__(
        self, device: str = "auto", *, cache: Cache | None = None, limits: Limits | None = None
    ) -> None:
        self.engine = Engine(device, cache, limits)
        self.any_model = AnyModelService(self.engine)
        self.attribution = AttributionService(self.engine)
        self.reweighting = ReweightingService(self.engine)
        self.comparison = ComparisonService(self.engine)
        self.mixing = MixingService(self.engine)
        self.walks = CodeWalkService(self.engine)
        self.remembered = Remembered(self.engine, self.attribution, self.comparison)

    @property
    def hosted(self) -> bool:
        """Whether strangers are served, for whom no path of this machine is opened."""
        return self.engine.limits.hosted

    @property
    def device(self) -> torch.device:
        """Where models are and passes are computed."""
        return self.engine.device

    # Models and pictures

    def load(self, model: str, weights: Weights = None) -> Loaded:
        """The model, in memory; weights that are not on this computer yet are fetched."""
        return self.engine.models.load(model, weights)

    def upload(self, model: str, file: str | Path, labels: str | Path | None = None) -> str:
        """Read a `.safetensors`, perhaps with a text of class names; gives the name to load it by."""
        return self.engine.models.upload(model, Path(file), None if labels is None else Path(labels))

    def add(
        self,
        model: nn.Module,
        name: str,
        preprocess: Preprocess | None = None,
        labels: Sequence[str] | str | Path | None = None,
        layout: Given = None,
    ) -> Found:
        """Let a model of one's own be asked about by a name, see `explorer.any_model.adding.add`."""
        return self.any_model.add(model, name, preprocess, labels, layout)

    def found(self, model: str, weights: Weights = None) -> Found:
        """The gates and layers of a model as watching a pass shows them, and what could not be told."""
        return self.any_model.found(self.load(model, weights))

    def fetch(self, model: str, weights: str, progress: Progress = silent) -> None:
        """Bring published weights to this computer; an exception out of `progress` stops it."""
        self.engine.models.fetch(model, weights, progress)

    def labels(self, model: str, weights: Weights = None) -> tuple[str, ...]:
        """Names of the classes, without loading anything."""
        return self.engine.models.labels(model, weights)

    def layers(self, model: str, kind: Kind, weights: Weights = None) -> tuple[str, ...]:
        """Names of the probes of a kind, in the order of the pass."""
        return tuple(probes(self.load(model, weights).model, kind))

    def input(self, model: str, picture: Picture, weights: Weights = None) -> ModelInput:
        """A picture made ready for a model, once; what the services of the rooms take."""
        return self.engine.input(model, picture, weights)

    def image(self, model: str, picture: Picture, weights: Weights = None) -> tuple[Tensor, Geometry]:
        """The image `[1, 3, h, w]` this model sees of a picture, and where it lies in the picture."""
        subject = self.input(model, picture, weights)
        return subject.image, subject.geometry

    def digest(self, picture: Picture) -> str:
        """A short name for the content of a picture."""
        return self.engine.pictures.digest(picture)

    def cropped(self, model: str, picture: Picture, weights: Weights = None) -> np.ndarray:
        """The part of a picture the model sees, at the picture's own resolution, uint8 `[h, w, 3]`."""
        return self.engine.cropped(picture, self.engine.models.preprocess(model, weights))

    # Passes

    def inspect(
        self,
        model: str,
        picture: Picture,
        weights: Weights = None,
        *,
        interventions: Sequence[Change] = (),
        target: Class = None,
    ) -> Run:
        """One forward pass with every probe; a remembered one is returned at once.

        interventions: what takes the place of learned shares or gates, see `explorer.reweighting`.
        target: a class, to keep the gradient of its logit at what every block blends as well.
        """
        return self.engine.run(self.input(model, picture, weights), tuple(interventions), target)

    def predict(
        self, model: str, picture: Picture, weights: Weights = None, most: int = 5
    ) -> tuple[Prediction, ...]:
        """The likeliest classes, likeliest first."""
        subject = self.input(model, picture, weights)
        self.engine.class_of(subject, None)  # refuses what classifies nothing
        return predictions(self.engine.run(subject).logits, subject.loaded.labels, most)

    def familiarity(self, model: str, picture: Picture, weights: Weights = None) -> Familiarity | None:
        """Whether a picture is like those these weights know; None where nothing is known of them."""
        subject = self.input(model, picture, weights)
        return familiarity(self.engine.run(subject), subject.loaded.card.name, subject.loaded.weights)

    def target(self, model: str, picture: Picture, weights: Weights = None, target: Class = None) -> int:
        """The class to explain: the one asked for, or the likeliest."""
        return self.engine.class_of(self.input(model, picture, weights), target)

    def pass_seconds(self, model: str, picture: Picture, weights: Weights = None) -> float:
        """What a pass takes here once the model is warm; to tell what longer work will take."""
        return self.engine.pass_seconds(self.input(model, picture, weights))

    # Attribution

    def attribute(
        self,
        model: str,
        picture: Picture,
        weights: Weights = None,
        *,
        method: str,
        target: Class = None,
        options: Options = DEFAULTS,
    ) -> Iterator[Attribution]:
        """Partial attributions, each better than the last; the last is whole and is remembered.

        Closing the iterator stops the work after the part in hand.
        """
        question = Question(method=method, target=target, options=options)
        return self.attribution.run(self.input(model, picture, weights), question)

    def score_card(
        self,
        model: str,
        picture: Picture,
        weights: Weights = None,
        *,
        method: str,
        target: Class = None,
        options: Options = DEFAULTS,
    ) -> Iterator[ScoreCard]:
        """How far a map can be trusted, part by part; the finished card is remembered."""
        question = Question(method=method, target=target, options=options)
        return self.attribution.score_card(self.input(model, picture, weights), question)

    def relevance(
        self, model: str, picture: Picture, weights: Weights = None, *, target: Class = None
    ) -> Mapping[str, np.ndarray]:
        """What each channel `[c]` of each map does for a class, see `explorer.features.ranking.relevance`."""
        return self.attribution.relevance(self.input(model, picture, weights), target)

    def preflight(self, model: str, weights: Weights, method: str) -> Verdict:
        """Whether a method means anything on a model; tried once and remembered."""
        return self.attribution.verdict(self.load(model, weights), method)

    # Reweighting

    def knock_out(
        self,
        model: str,
        picture: Picture,
        weights: Weights = None,
        *,
        target: Class = None,
        mode: str = "removed",
    ) -> Iterator[KnockOut]:
        """What becomes of a logit when a branch loses its share, one block more each time."""
        return self.reweighting.ablation(self.input(model, picture, weights), target, mode)

    def typical(
        self, model: str, weights: Weights = None, pictures: Sequence[Source] = ()
    ) -> tuple[Typical, ...] | None:
        """How the model usually blends: over pictures given now, else over those given last, else as shipped.

        None where nothing is shipped and no pictures were given; empty for a model without split attention.
        """
        subjects = [self.input(model, picture, weights) for picture in pictures]
        return self.reweighting.reference_shares(self.load(model, weights), subjects)

    # Mixing

    def effective_field(
        self,
        model: str,
        picture: Picture,
        weights: Weights = None,
        *,
        layer: str,
        place: Place,
        channel: Channel = None,
        most: int | None = None,
    ) -> EffectiveField:
        """Which pixels move a place of a layer, measured on this picture, with `most` gradients at most."""
        return self.mixing.effective_field(self.input(model, picture, weights), layer, place, channel, most)

    def average_field(
        self,
        model: str,
        pictures: Sequence[Source],
        weights: Weights = None,
        *,
        layer: str,
        place: Place,
        channel: Channel = None,
    ) -> Iterator[EffectiveField]:
        """The same averaged over pictures: the mean so far after each of them."""
        subjects = [self.input(model, picture, weights) for picture in pictures]
        return self.mixing.average_field(subjects, layer, place, channel)

    def theoretical_field(
        self, model: str, weights: Weights = None, *, layer: str, place: Place, channel: Channel = None
    ) -> np.ndarray:
        """Which pixels can move a place by the architecture, whatever the weights: bool `[h, w]`."""
        return self.mixing.theoretical_field(self.load(model, weights), layer, place, channel)

    def sensitivity_map(
        self,
        model: str,
        picture: Picture,
        weights: Weights = None,
        *,
        layer: str,
        square: Place,
        channel: Channel = None,
    ) -> SensitivityMap:
        """Which places of a layer a square of the image moves, see `receptive_field.squares`."""
        return self.mixing.sensitivity_map(self.input(model, picture, weights), layer, square, channel)

    def shifts(self, model: str, weights: Weights, block: str) -> tuple[Impulses, ...]:
        """From where every channel gets its values in the steps of a block, measured once with impulses."""
        return self.mixing.shifts(self.load(model, weights), block)

    def depth(self, model: str, weights: Weights = None, most: int = 8) -> tuple[str, ...]:
        """Some layers that tell the way of a picture: what the stem and the blocks put out."""
        return self.mixing.depth(self.load(model, weights), most)

    # Comparison and code

    def likeness(self, picture: Picture, first: tuple[str, Weights], second: tuple[str, Weights]) -> Likeness:
        """Linear CKA between all layers of two backbones, each given as (model, weights)."""
        return self.comparison.likeness(*(self.input(name, picture, of) for name, of in (first, second)))

    def costs(self, model: str, weights: Weights = None, *, anew: bool = False) -> Iterator[Costs | None]:
        """What every block costs; `None` after each measured pass until the last, which is remembered.

        anew: measure once more, as the computer may have been busy.
        """
        return self.comparison.costs(self.load(model, weights), anew=anew)

    def code_walk(
        self, model: str, picture: Picture, weights: Weights = None, *, block: str | None = None
    ) -> Walk:
        """What every line of a block's source makes of a picture; None for the block worth beginning with."""
        return self.walks.walk(self.input(model, picture, weights), block)
