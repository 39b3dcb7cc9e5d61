"""Every question is answered on another device as on the CPU.

Always on a simulated one, where the answer is the same bit for bit and everything that is in the wrong place
raises; and on CUDA wherever there is any, where it is the same up to rounding.
"""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from explorer import Explorer, Options
from explorer.attribution.baselines import BASELINES, baseline_of
from explorer.attribution.benchmark.truth_lab import scores
from explorer.attribution.registry import METHODS
from explorer.errors import ChoiceError
from explorer.mixing.attention import attention_from, attention_layers
from explorer.mixing.mixers import mixers
from explorer.mixing.shift_impulses import sent_through
from explorer.reading import Unread
from explorer.reweighting.ablation import MODES, OWED
from explorer.reweighting.interventions import Frozen, Moved, Scaled, Taken, Uniform, Without
from models import list_models, scenes
from models.probe import Kind
from tests.simulated_device import CUDA, Elsewhere, simulated_cuda

DEVICES = ["simulated", *(["cuda"] if torch.cuda.is_available() else [])]
NANOS = [name for name in list_models() if name.endswith("_nano")]
EXPLAINED = ["vip_nano", "fasternet_nano", "mobilevit_nano", "efficientnet_lite_nano"]
STAR, OTHER = (Image.fromarray(scenes.draw(seed, 96).picture) for seed in (27, 5))
LIGHT = Options(steps=6, samples=3, cells=4, segments=9, draws=16, orders=1, channels=4)
# These draw from the generator of the device, so on CUDA from other numbers.
NOISY = {"smooth_grad", "var_grad", "gradient_shap"}
MEASURED = {"seconds"}  # fields that are no property of the model
ROUNDING = {"rtol": 1e-3, "atol": 1e-3}


def last_layer(explorer: Explorer, model: str) -> str:
    return explorer.layers(model, Kind.FEATURE_MAP, "scenes")[-1]


def inspected(explorer: Explorer, model: str) -> object:
    return explorer.inspect(model, STAR, "scenes"), explorer.inspect(model, STAR, "scenes", target=3)


def changed(explorer: Explorer, model: str) -> object:
    """What-if: every intervention, at the first block that has what it changes."""
    blocks = {
        kind: [name.rpartition(".")[0] for name in explorer.layers(model, kind, "scenes")]
        for kind in (Kind.BRANCH_WEIGHTS, Kind.BRANCHES)
    }
    run = explorer.inspect(model, STAR, "scenes")
    made: list[Any] = []
    for block in blocks[Kind.BRANCH_WEIGHTS][:1]:
        learned = run.inside(block, Kind.BRANCH_WEIGHTS)
        shares = tuple(1.0 + index for index in range(len(learned.branches)))
        taken = tuple(map(tuple, learned.value[0].flip(0).tolist()))
        made += [Uniform(block, shares), Moved(block, shares), Taken(block, taken)]
        made += [Without(block, learned.branches[0]), Frozen(block, learned.branches[-1])]
    for block in blocks[Kind.BRANCHES][:1]:
        count = len(run.inside(block, Kind.BRANCHES).branches)
        made.append(Scaled(block, tuple(1.0 + index for index in range(count))))
    return [explorer.inspect(model, STAR, "scenes", interventions=[one], target=3) for one in made]


def knocked_out(explorer: Explorer, model: str) -> object:
    return [last(explorer.knock_out(model, STAR, "scenes", target=3, mode=mode)) for mode in (*MODES, *OWED)]


def fields_of(explorer: Explorer, model: str) -> object:
    where = {"layer": last_layer(explorer, model), "place": (1, 1)}
    return (
        explorer.effective_field(model, STAR, "scenes", **where),
        explorer.effective_field(model, STAR, "scenes", channel=2, **where),
        last(explorer.average_field(model, [STAR, OTHER], "scenes", **where)),
        explorer.theoretical_field(model, "scenes", **where),
        explorer.sensitivity_map(model, STAR, "scenes", layer=where["layer"], square=(9, 9)),
    )


def shifted(explorer: Explorer, model: str) -> object:
    """Impulses through every block that shifts, and a map sent through its steps."""
    found = mixers(explorer.load(model, "scenes").model, "shifts")
    there = np.arange(49, dtype=np.float32).reshape(7, 7)
    sent = [sent_through(step, there) for module in found.values() for step in module.mixing_steps()]
    return [explorer.shifts(model, "scenes", block) for block in found], sent


def matrices(explorer: Explorer, model: str) -> object:
    found = mixers(explorer.load(model, "scenes").model, "matrices")
    return [[one.canonical for one in module.mixing_matrices()] for module in found.values()]


def walked(explorer: Explorer, model: str) -> object:
    return explorer.code_walk(model, STAR, "scenes"), explorer.code_walk(model, OTHER, "scenes", block="")


def costed(explorer: Explorer, model: str) -> object:
    return last(explorer.costs(model, "scenes", anew=True))


def scored(explorer: Explorer, model: str) -> object:
    """The score card and the truth lab."""
    card = last(explorer.score_card(model, STAR, "scenes", method="saliency", target=3, options=LIGHT))
    return card, last(scores(explorer.load(model, "scenes").model, model, "layer_cam", [3, 4], LIGHT))


def judged(explorer: Explorer, model: str) -> object:
    return [explorer.preflight(model, "scenes", method) for method in METHODS]


def predicted(explorer: Explorer, model: str) -> object:
    return (
        explorer.predict(model, STAR, "scenes"),
        explorer.familiarity(model, STAR, "scenes"),
        explorer.relevance(model, STAR, "scenes", target=3),
        explorer.pass_seconds(model, STAR, "scenes") > 0,
    )


def typical(explorer: Explorer, model: str) -> object:
    """How a model usually blends, over pictures: under random weights, for which nothing is shipped."""
    return explorer.typical(model, "random", [STAR, OTHER])


def attention(explorer: Explorer, model: str) -> object:
    run = explorer.inspect(model, STAR, "scenes")
    return [attention_from(run, layer, 0.3, 0.6) for layer in attention_layers(run)]


def likeness(explorer: Explorer, model: str) -> object:
    """Linear CKA with another backbone, and with itself."""
    others = ("mixer_nano", "scenes"), (model, "scenes")
    return [explorer.likeness(STAR, (model, "scenes"), other) for other in others]


def baselines(explorer: Explorer, model: str) -> object:
    """A test of the helper alone: what counts as nothing, made where the image is."""
    subject = explorer.input(model, STAR, "scenes")
    return [baseline_of(subject.placed, subject.loaded.preprocess, name).cpu() for name in BASELINES]


SPLITTING = ["as_mlp_nano", "s2mlpv2_nano", "vip_nano"]  # blocks into branches
QUESTIONS: dict[Callable[[Explorer, str], object], list[str]] = {  # and the models they are about
    inspected: NANOS,
    predicted: NANOS,
    changed: SPLITTING,
    knocked_out: ["vip_nano"],
    typical: ["s2mlpv2_nano", "vip_nano"],
    fields_of: ["as_mlp_nano", "fasternet_nano", "mixer_nano", "mobilevit_nano"],
    shifted: ["as_mlp_nano", "efficientnet_lite_nano", "fasternet_nano", "s2mlp_nano", "s2mlpv2_nano"],
    matrices: ["mixer_nano", "vip_nano"],
    attention: ["mobilevit_nano"],
    likeness: NANOS,
    walked: NANOS,
    # What follows does the same for every model.
    costed: ["fasternet_nano"],
    judged: ["fasternet_nano"],
    scored: ["fasternet_nano"],
    baselines: ["fasternet_nano"],
}
ELSEWHERE_TESTED = {"attribute", "add", "found"}
WITHOUT_A_PASS = {
    *("hosted", "device", "fetch", "upload", "labels", "digest", "cropped", "image", "target", "depth")
}
ASKED = [(question, model) for question, models in QUESTIONS.items() for model in models]


def last(parts: Iterator[Any]) -> Any:
    *_, whole = parts
    return whole


def leaves(answer: object, where: str = "answer") -> Iterator[tuple[str, object]]:
    """Every number, text and array in an answer but the measured times, and where in it."""
    if isinstance(answer, Unread):
        yield from leaves(answer.value, f"{where}.value")
    elif is_dataclass(answer):
        for field in fields(answer):
            if field.name not in MEASURED:
                yield from leaves(getattr(answer, field.name), f"{where}.{field.name}")
    elif isinstance(answer, Mapping):
        for key, value in answer.items():
            yield from leaves(value, f"{where}[{key!r}]")
    elif isinstance(answer, list | tuple):
        for index, value in enumerate(answer):
            yield from leaves(value, f"{where}[{index}]")
    else:
        yield where, answer


def same(found: object, expected: object, exact: bool) -> bool:
    if isinstance(expected, Tensor):
        assert type(found) is Tensor, "answers are tensors on the CPU"
        found, expected = found.numpy(), expected.numpy()
    if isinstance(expected, np.ndarray) and not exact and expected.dtype.kind == "f":
        return bool(np.allclose(found, expected, equal_nan=True, **ROUNDING))
    if isinstance(expected, np.ndarray):
        return bool(np.array_equal(found, expected, equal_nan=expected.dtype.kind == "f"))
    if isinstance(expected, float):
        return (
            found == expected
            or (math.isnan(found) and math.isnan(expected))
            or (not exact and math.isclose(found, expected, rel_tol=1e-2, abs_tol=1e-3))
        )
    return not exact or found == expected  # a sentence tells rounded numbers


def assert_same(found: object, expected: object, exact: bool) -> None:
    one, other = dict(leaves(found)), dict(leaves(expected))
    assert one.keys() == other.keys()
    assert one
    differing = [where for where in other if not same(one[where], other[where], exact)]
    assert not differing


@pytest.fixture(scope="module")
def here():
    """An Explorer of this file alone: what it remembers is no other test's."""
    return Explorer(device="cpu")


@pytest.fixture(scope="module")
def elsewhere():
    """An Explorer whose models are on the simulated device."""
    with patch("explorer.engine.engine.choose_device", return_value=CUDA):
        return Explorer(device="cuda:0")


@pytest.fixture(params=DEVICES)
def there(request):
    """An Explorer on another device, and whether its answers are those of the CPU bit for bit."""
    if request.param == "cuda":
        yield request.getfixturevalue("on_cuda"), False
        return
    with simulated_cuda():
        yield request.getfixturevalue("elsewhere"), True


@pytest.fixture(scope="module")
def on_cuda():
    return Explorer(device="cuda")


@pytest.mark.parametrize(("question", "model"), ASKED)
def test_a_question_is_answered_on_another_device_as_on_the_cpu(there, here, question, model):
    other, exact = there
    found = question(other, model)
    assert all(one.device.type == "cuda" for one in other.load(model, "scenes").model.parameters())
    assert_same(found, question(here, model), exact)


def test_no_question_of_the_explorer_is_left_out():
    code = "".join(map(inspect.getsource, QUESTIONS))
    asked = {name for name in vars(Explorer) if f"explorer.{name}(" in code}
    public = {name for name in vars(Explorer) if not name.startswith("_")}
    assert public - asked == ELSEWHERE_TESTED | WITHOUT_A_PASS


@pytest.mark.parametrize("model", EXPLAINED)
@pytest.mark.parametrize("method", METHODS)
def test_a_map_is_made_on_another_device_as_on_the_cpu(there, here, method, model):
    other, exact = there

    def explained(asked: Explorer) -> object:
        try:
            return last(asked.attribute(model, STAR, "scenes", method=method, target=3, options=LIGHT))
        except ChoiceError as error:
            return str(error)

    found, expected = explained(other), explained(here)
    if not exact and method in NOISY:
        assert np.isfinite(found.values).all()
        return
    assert_same(found, expected, exact)


# The simulated device refuses what CUDA refuses; else the tests above could not fail.

REFUSED = {
    "sum": lambda here, there: there + here,
    "product": lambda here, there: here @ there,
    "cat": lambda here, there: torch.cat([there, here]),
    "convolution": lambda here, there: torch.conv2d(there[None, None], here[None, None]),
    "where": lambda here, there: torch.where(here > 0, there, 0.0),
    "stack of numbers": lambda here, there: torch.stack([there[0, 0], here[0, 0]]),
    "index": lambda here, there: here[there.argmax(dim=1)],
    "gather": lambda here, there: there.gather(0, here.long()),
    "backward": lambda here, there: torch.autograd.grad(
        there.requires_grad_() ** 2, there, grad_outputs=here
    ),
}


@pytest.mark.parametrize("mixing", REFUSED)
def test_the_simulated_device_refuses_tensors_of_the_cpu(mixing):
    here = torch.ones(3, 3)
    with simulated_cuda(), pytest.raises(RuntimeError, match=r"cuda:0 and cpu"):
        REFUSED[mixing](here, here.to("cuda:0"))


@pytest.mark.parametrize("turn", [Tensor.numpy, np.asarray, lambda one: one.detach().numpy()])
def test_the_simulated_device_gives_nothing_to_numpy(turn):
    with simulated_cuda(), pytest.raises(TypeError, match=r"Use Tensor.cpu\(\)"):
        turn(torch.ones(3, device="cuda:0"))


def test_the_simulated_device_has_generators_of_its_own():
    with simulated_cuda(), pytest.raises(RuntimeError, match="generator"):
        torch.rand(3, device="cuda:0", generator=torch.Generator())


def test_the_simulated_device_takes_what_cuda_takes():
    with simulated_cuda():
        here, there = torch.arange(6.0), torch.arange(6.0).to("cuda:0")
        taken = [
            there * torch.tensor(2.0),
            there[torch.tensor([1, 2])],
            there[here > 3],
            there.clone().copy_(here),
            torch.zeros_like(there),
            there.new_zeros(2),
            torch.zeros(2, device=there.device),
        ]
        assert all(isinstance(one, Elsewhere) and one.device == CUDA for one in taken)
        assert type(there.cpu()) is Tensor
        assert there.cpu().device.type == "cpu"
        assert torch.equal(there.cpu().to(there).cpu(), here)
        assert float(there.sum()) == 15


def test_gradients_come_back_from_the_simulated_device():
    with simulated_cuda():
        here = torch.ones(3, requires_grad=True)
        (here.to("cuda:0") ** 2).sum().cpu().backward()
    assert torch.equal(here.grad, torch.full((3,), 2.0))


def test_exactness_is_checked_by_more_than_the_kind_of_answer():
    assert not same(np.ones(2), np.array([1.0, 1.001]), exact=True)
    assert not same(np.ones(2), np.array([1.0, 1.1]), exact=False)
    with pytest.raises(AssertionError, match="on the CPU"):
        same(Elsewhere(torch.ones(1)), torch.ones(1), exact=True)
