"""Ours beside timm and Captum, in turn in one run, each used as its documentation shows.

Ours is computed as the page does where only the result counts: weights laid out for the processor, batch
norms folded, no gradients of parameters, batches chosen from the model's own work. Captum gets the published
network as `create` gives it, and the batch of those tried that it is quickest with.
"""

import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from captum.attr import IntegratedGradients, LayerGradCam, Occlusion
from torch import Tensor

from benchmarks.timing import Row, medians, ratio
from explorer.any_model.timm_models import timm
from explorer.attribution.methods.case import Case
from explorer.attribution.options import Options
from explorer.attribution.registry import METHODS
from explorer.attribution.running import case_of
from explorer.engine.device import choose_threads, keep_freed_memory
from explorer.engine.twins import folded, quickly_laid_out
from models import card, create

TIMM = {
    "fasternet_t0": "fasternet_t0",
    "mobilevit_s": "mobilevit_s",
    "efficientnet_lite0": "tf_efficientnet_lite0",  # padded as the published weights want it
    "mixer_b16": "mixer_b16_224",
}
EXPLAINED = {"fasternet_t0": "stages.3.output", "efficientnet_lite0": "final", "mobilevit_xxs": "final"}
BATCHES = (1, 4, 8, 16, 50)
CELLS = 16


def peers() -> Iterator[Row]:
    torch.set_num_threads(choose_threads())
    keep_freed_memory()
    warnings.filterwarnings("ignore")
    yield from (forward(name, batch) for name in TIMM for batch in (1, 8))
    for name in EXPLAINED:
        yield from (grad_cam(name), integrated_gradients(name), occlusion(name))
    yield from (integrated_gradients("vip_nano"), occlusion("vip_nano"))


@torch.no_grad()
def forward(name: str, batch: int) -> Row:
    theirs, ours = timm().create_model(TIMM[name]).eval(), folded(quickly_laid_out(create(name)))
    image = torch.rand(batch, 3, *card(name).preprocess.shape)
    alone, here = medians(lambda: theirs(image), lambda: ours(image), rounds=15 if batch == 1 else 5)
    return Row(f"forward of {name}, batch {batch} / timm", ratio(here, alone), "at most 0.90")


def a_case(name: str, **options: Any) -> tuple[torch.nn.Module, Case]:
    """The network as it is published, and a case of the same weights as the page computes it."""
    published, ours = create(name), quickly_laid_out(create(name).requires_grad_(False))
    image = torch.rand(1, 3, *card(name).preprocess.shape, generator=torch.Generator().manual_seed(0))
    return published, case_of(ours, image, card(name).preprocess, 0, Options(**options))


def last(method: str, case: Case) -> Tensor:
    *_, part = METHODS[method].stream(case)
    return part.values


def equal(ours: Tensor, theirs: Tensor) -> None:
    """Raises AssertionError where maps differ by more than 1e-5 of their largest value."""
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5 * float(theirs.abs().max()))


def grad_cam(name: str) -> Row:
    published, case = a_case(name, layer=EXPLAINED[name])
    engine = LayerGradCam(published, published.get_submodule(EXPLAINED[name]))

    def theirs() -> Tensor:
        return engine.attribute(case.image, target=0)

    equal(last("grad_cam", case), theirs())
    alone, here = medians(theirs, lambda: last("grad_cam", case), rounds=9)
    return Row(f"Grad-CAM of {name} / Captum", ratio(here, alone), "at most 0.85")


def integrated_gradients(name: str) -> Row:
    published, case = a_case(name, steps=50)
    engine = IntegratedGradients(published)

    def theirs(batch: int) -> Tensor:
        return engine.attribute(
            case.image, case.baseline, target=0, n_steps=50, internal_batch_size=batch
        ).float()

    equal(last("integrated_gradients", case), theirs(8))
    batch = quickest(theirs)
    alone, here = medians(lambda: theirs(batch), lambda: last("integrated_gradients", case), rounds=3)
    what = f"IG-50 of {name} / Captum in batches of {batch}"
    return Row(what, ratio(here, alone), "at most 0.70")


def occlusion(name: str) -> Row:
    published, case = a_case(name, cells=CELLS)
    side = case.image.shape[-1] // CELLS
    engine = Occlusion(published)

    @torch.no_grad()
    def theirs(batch: int) -> Tensor:
        return engine.attribute(
            case.image,
            (3, side, side),
            strides=(3, side, side),
            baselines=case.baseline,
            target=0,
            perturbations_per_eval=batch,
        )

    # Random weights hardly care what they see; then falls are no larger than what logits are rounded by.
    falls, rounded = (
        theirs(8)[:, :1, ::side, ::side],
        1e-6 * float(published(case.image).detach().abs().max()),
    )
    allowed = 1e-5 * float(falls.abs().max()) + rounded
    torch.testing.assert_close(last("occlusion", case), falls, rtol=0, atol=allowed)
    batch = quickest(theirs)
    alone, here = medians(lambda: theirs(batch), lambda: last("occlusion", case), rounds=3)
    what = f"Occlusion of {name} / Captum in batches of {batch}"
    return Row(what, ratio(here, alone), "at most 0.50")


def quickest(call: Callable[[int], Tensor]) -> int:
    """The batch that a call takes least time with."""
    seconds = {}
    for batch in BATCHES:
        start = time.perf_counter()
        call(batch)
        seconds[batch] = time.perf_counter() - start
    return min(seconds, key=seconds.__getitem__)
