"""Methods that switch segments of the picture off and on: ablation, Shapley values, KernelShap, LIME.

Which segments Captum switches does not depend on what the model gives. So Captum is called once with a
stand-in for the model, to collect the combinations it tries; the model is run on these a few at a time, so
that the work can be shown and stopped in between; then Captum is called again with the model's logits. The
last result is that of one Captum call.
"""

import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from einops import rearrange
from torch import Tensor
from torch.utils.data import DataLoader

from explorer.attribution.methods.case import Case, Part, logits_of, refuse
from explorer.engine.late_imports import captum, late
from models.random_state import seeded

LASSO_SHARE = 0.02  # of the penalty that leaves no coefficient
LOOK_EVERY = 30  # times what a look costs
Ask = Callable[[Callable[[Tensor], Tensor]], Tensor]  # a Captum call about a function of switches


def segments_of(case: Case) -> Tensor:
    """The number of the segment every pixel is in `[h, w]`, counted from 0 without gaps."""
    height, width = case.image.shape[-2:]
    wanted, shape = case.options.segments, case.options.shape
    refuse(wanted > height * width, f"{wanted} segments do not fit {height} × {width} pixels.")
    refuse(shape not in ("grid", "slic"), f"Segments are grid or slic; not {shape!r}.")
    if shape == "slic":
        low, high = case.image.min(), case.image.max()
        picture = rearrange((case.image[0] - low) / (high - low).clamp_min(1e-12), "c h w -> h w c")
        labels = late("skimage.segmentation").slic(
            picture.cpu().double().numpy(), n_segments=wanted, compactness=10, start_label=0
        )
        return torch.from_numpy(np.unique(labels, return_inverse=True)[1].reshape(labels.shape))
    rows = max(1, round((wanted * height / width) ** 0.5))
    columns = max(1, round(wanted / rows))
    down, across = (torch.arange(n) * parts // n for n, parts in ((height, rows), (width, columns)))
    return rearrange(down * columns, "h -> h 1") + rearrange(across, "w -> 1 w")


def feature_ablation(case: Case) -> Iterator[Part]:
    """How far the logit falls without each segment (Zeiler & Fergus, 2014)."""
    labels = segments_of(case)
    count = int(labels.max()) + 1

    def ask(answer: Callable[[Tensor], Tensor]) -> Tensor:
        return captum.FeatureAblation(answer).attribute(torch.ones(1, count), perturbations_per_eval=count)

    # What is not known yet has not fallen.
    yield from answered(case, labels, ask, unknown="first", worth_showing=lambda _done: ask)


def shapley_sampling(case: Case) -> Iterator[Part]:
    """Mean gain of each segment over random orders of adding them (Castro et al., 2009)."""
    labels = segments_of(case)
    count = int(labels.max()) + 1

    def ask(answer: Callable[[Tensor], Tensor], orders: int) -> Tensor:
        with seeded(case.options.seed):
            return captum.ShapleyValueSampling(answer).attribute(torch.ones(1, count), n_samples=orders)

    # What is not known yet gains nothing; the first two answers are the baseline and the picture.
    yield from answered(
        case,
        labels,
        partial(ask, orders=case.options.orders),
        unknown="last",
        worth_showing=lambda done: partial(ask, orders=min(case.options.orders, -(-done // count))),
    )


def kernel_shap(case: Case) -> Iterator[Part]:
    """Shapley values as the weighted linear fit to random coalitions (Lundberg & Lee, 2017)."""
    yield from fitted(case, lambda answer: captum.KernelShap(answer))


def lime(case: Case) -> Iterator[Part]:
    """A sparse linear fit to pictures with segments missing (Ribeiro et al., 2016)."""
    yield from fitted(case, lambda answer: captum.Lime(answer, interpretable_model=SparseFit()))


class SparseFit:
    """A lasso as strict as the logits ask for; Captum's own leaves nothing of logits that differ little.

    Its penalty is `LASSO_SHARE` of the smallest one that would leave no coefficient at all.
    """

    def fit(self, train_data: DataLoader, **_) -> dict:
        """Fit to batches of switches `[n, segments]`, logits `[n]` and weights `[n]`."""
        batches = [tuple(part.double().cpu().numpy() for part in batch) for batch in train_data]
        switches, logits, weights = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        logits, shares = logits.reshape(len(switches)), weights.ravel() / weights.sum()
        centred = switches - shares @ switches
        nothing_left = np.abs(centred.T @ (shares * (logits - shares @ logits))).max()
        penalty = max(LASSO_SHARE * float(nothing_left), 1e-12)
        lasso = late("sklearn.linear_model").Lasso(alpha=penalty)
        self.coefficients = lasso.fit(switches, logits, shares * len(shares)).coef_
        return {}

    def representation(self) -> Tensor:
        """The coefficients `[1, segments]`."""
        return torch.from_numpy(self.coefficients).float()[None]


def fitted(case: Case, engine: Callable) -> Iterator[Part]:
    labels = segments_of(case)
    count = int(labels.max()) + 1
    refuse(case.options.draws < count + 2, f"{count} segments need more than {case.options.draws} draws.")

    for package in ("sklearn.linear_model", "sklearn.svm"):  # Captum imports these without taking turns
        late(package)

    def ask(answer: Callable[[Tensor], Tensor], draws: int) -> Tensor:
        with seeded(case.options.seed), warnings.catch_warnings():
            # A fit to the first few answers may not settle; the last one has them all.
            warnings.simplefilter("ignore", late("sklearn.exceptions").ConvergenceWarning)
            return engine(answer).attribute(torch.ones(1, count), n_samples=draws)

    yield from answered(
        case,
        labels,
        partial(ask, draws=case.options.draws),
        unknown="none",
        worth_showing=lambda done: partial(ask, draws=done) if done > 3 else None,
    )


def answered(
    case: Case, labels: Tensor, ask: Ask, *, unknown: str, worth_showing: Callable[[int], Ask | None]
) -> Iterator[Part]:
    """Run the model on the combinations of a Captum call a few at a time, and map what is known so far.

    unknown: what stands for a logit that is not known yet: the "first" one, the "last" one, or "none" for
        calls that need no more than is known.
    worth_showing: for a number of logits, the call that makes a map of them; None to show nothing yet.
    """
    questions = combinations(ask)
    known = torch.empty(0, dtype=case.image.dtype, device=case.image.device)
    switched = partial(through, case, labels.to(case.image.device))
    values, shown_at, cost = None, 0.0, 0.0
    for start in range(0, len(questions), case.at_once):
        known = torch.cat([known, switched(questions[start : start + case.at_once])])
        whole = len(known) == len(questions)
        # Looking in between must not cost more than a few hundredths of the work.
        due = values is None or time.perf_counter() - shown_at > LOOK_EVERY * cost
        shown = ask if whole else worth_showing(len(known)) if due else None
        if shown is not None:
            began = time.perf_counter()
            values = shown(KnownLogits(known.cpu(), unknown))
            shown_at = time.perf_counter()
            cost = shown_at - began
        if values is not None:
            yield Part(len(known), len(questions), spread_out(values, labels))


def combinations(ask: Ask) -> Tensor:
    """Every combination of switches a call asks for `[n, segments]`, in its order."""
    tried: list[Tensor] = []

    def collect(switches: Tensor) -> Tensor:
        tried.append(switches.detach().clone())
        return torch.zeros(len(switches))

    ask(collect)
    return torch.cat(tried)


class KnownLogits:
    """Stands for the model: gives known logits in the order of the combinations."""

    def __init__(self, known: Tensor, unknown: str) -> None:
        self.known = known
        self.stand_in = known[0] if unknown == "first" else known[-1]
        self.given = 0

    def __call__(self, switches: Tensor) -> Tensor:
        some = self.known[self.given : self.given + len(switches)]
        self.given += len(switches)
        return torch.cat([some, self.stand_in.expand(len(switches) - len(some))])


def through(case: Case, labels: Tensor, switches: Tensor) -> Tensor:
    """The logits `[n]` of the picture with segments switched off, the baseline in their place."""
    on = switches.to(case.image)[:, labels]
    return logits_of(case, torch.where(rearrange(on, "n h w -> n 1 h w") > 0.5, case.image, case.baseline))


def spread_out(values: Tensor, labels: Tensor) -> Tensor:
    """A segment's value shared evenly by its pixels `[1, 1, h, w]`, so that the map keeps the sum."""
    sizes = torch.bincount(labels.flatten()).to(values)
    return rearrange((values[0] / sizes)[labels], "h w -> 1 1 h w")
