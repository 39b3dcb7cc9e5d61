"""Attribution: how soon there is something to see, and what cutting a method into parts costs."""

import warnings

import torch
from captum.attr import (
    FeatureAblation,
    KernelShap,
    Lime,
    NoiseTunnel,
    Occlusion,
    Saliency,
    ShapleyValueSampling,
)
from torch import Tensor, nn

from benchmarks.timing import Row, medians
from explorer.attribution.applicability import preflight
from explorer.attribution.methods.case import Case, spread
from explorer.attribution.methods.segments import segments_of
from explorer.attribution.options import Options
from explorer.attribution.registry import METHODS
from explorer.attribution.running import case_of
from explorer.engine.device import choose_threads
from models import card, create

FIRST = (
    *((name, 0.5) for name in ("vip_nano", "mixer_nano", "mobilevit_nano", "fasternet_nano")),
    *((name, 1.0) for name in ("fasternet_t0", "mobilevit_xxs", "mixer_s32")),
    ("vip_s7", 3.0),
)


def attribution() -> list[Row]:
    torch.set_num_threads(choose_threads())
    warnings.filterwarnings("ignore")
    return [*(first(name, limit) for name, limit in FIRST), *costs("vip_nano", 3)]


def a_case(name: str) -> Case:
    model = create(name).requires_grad_(False)
    preprocess = card(name).preprocess
    image = torch.randn(1, 3, *preprocess.shape, generator=torch.Generator().manual_seed(0))
    return case_of(model, image, preprocess, 0, Options())


def first(name: str, limit: float) -> Row:
    """The slowest method of those that mean something on a model, until its first map."""
    case, slowest = a_case(name), ("", 0.0)
    for method, found in METHODS.items():
        if preflight(case.network, card(name).preprocess, method, torch.device("cpu")).level == "meaningless":
            continue
        (seconds,) = medians(lambda found=found: next(found.stream(case)), rounds=2)
        slowest = max(slowest, (method, seconds), key=lambda one: one[1])
    return Row(
        f"first map of the slowest method, {name}", f"{slowest[1]:.2f} s ({slowest[0]})", f"at most {limit} s"
    )


def costs(name: str, rounds: int) -> list[Row]:
    """Whole maps beside one plain Captum call with the same number of model evaluations."""
    case = a_case(name)
    rows = []
    for method, call in plain(case).items():
        once, ours = medians(call, lambda method=method: list(METHODS[method].stream(case)), rounds=rounds)
        rows.append(
            Row(
                f"{method} of {name} in parts / one Captum call",
                f"{ours / once:.2f} ({once:.2f} s)",
                "at most 1.05",
            )
        )
    return rows


def plain(case: Case) -> dict:
    model, image, black = case.model, case.image, case.baseline
    labels = segments_of(case)
    noisy = {"nt_samples": 24, "nt_samples_batch_size": case.at_once, "stdevs": spread(case), "target": 0}
    mask = {"feature_mask": labels[None, None], "baselines": black, "target": 0}
    side = image.shape[-1] // case.options.cells

    class Quiet(nn.Module):
        """Captum's perturbation methods leave gradients on; ours do not need them."""

        def forward(self, one: Tensor) -> Tensor:
            with torch.no_grad():
                return model(one)

    quiet = Quiet()
    at_once = {"perturbations_per_eval": case.at_once}
    return {
        "saliency": lambda: Saliency(model).attribute(image.clone().requires_grad_(), 0),
        "smooth_grad": lambda: NoiseTunnel(Saliency(model)).attribute(image, nt_type="smoothgrad", **noisy),
        "var_grad": lambda: NoiseTunnel(Saliency(model)).attribute(image, nt_type="vargrad", **noisy),
        "occlusion": lambda: Occlusion(quiet).attribute(
            image, (3, side, side), strides=(3, side, side), baselines=black, target=0, **at_once
        ),
        "feature_ablation": lambda: FeatureAblation(quiet).attribute(image, **mask, **at_once),
        "shapley_sampling": lambda: ShapleyValueSampling(quiet).attribute(
            image, n_samples=8, **mask, **at_once
        ),
        "kernel_shap": lambda: KernelShap(quiet).attribute(image, n_samples=200, **mask, **at_once),
        "lime": lambda: Lime(quiet).attribute(image, n_samples=200, **mask, **at_once),
    }
