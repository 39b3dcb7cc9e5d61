"""The code walk: every line of a block beside the tensors that line made."""

import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from explorer.any_model.find import find
from explorer.any_model.foreign import Foreign
from explorer.code_walk.einops_diagram import drawing
from explorer.code_walk.shape_axes import ShapeAxes
from explorer.code_walk.source_lines import axes_in, listing
from explorer.code_walk.tensor_views import looks
from explorer.code_walk.walk import blocks, first_block, walk
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from models import list_models
from models.probe import Probe
from tests.foreign import SqueezeExcite, made
from tests.forgetful import Forgetful
from tests.tiny import TINY

ROOT = Path(__file__).parent.parent
NANOS = [name for name in list_models() if name.endswith("_nano")]


def made_in(found):
    return {(step.statement.first, made.name): made for step in found.steps for made in step.made}


@pytest.mark.parametrize("name", TINY)
def test_every_part_written_in_our_files_can_be_walked(name, image):
    model = TINY[name]().eval()
    for block in blocks(model):
        found = walk(model, image, block)
        assert found.steps[-1].statement.returns
        assert found.steps[0].statement.source.startswith("def forward")
        for step in found.steps:
            file = found.calls[step.call].listing.file
            lines = (ROOT / file).read_text("utf-8").splitlines()
            assert lines[step.statement.first - 1].strip() == step.statement.source.splitlines()[0].strip()


@pytest.mark.parametrize("name", TINY)
def test_layers_of_torch_can_be_walked_too(name, image):
    """Each kind of layer once; every tensor has a name for each axis, be it an empty one."""
    model = TINY[name]().eval()
    kinds = {type(module): path for path, module in model.named_modules() if not isinstance(module, Probe)}
    for path in kinds.values():
        found = walk(model, image, path)
        made = [one for step in found.steps for one in step.made]
        assert made[-1].name == "returns"
        assert all(len(one.axes) == one.value.ndim for one in made)
        assert all(looks(one.value.numpy(), one.axes) for one in made)


@pytest.mark.parametrize("name", TINY)
def test_the_last_line_gives_what_the_block_gives(name, image):
    model = TINY[name]().eval()
    block = first_block(model)
    kept = []
    with model.get_submodule(block).register_forward_hook(lambda _m, _a, value: kept.append(value)):
        model(image)
    made = walk(model, image, block).steps[-1].made[-1]
    assert made.name == "returns"
    torch.testing.assert_close(made.value, kept[0].detach(), rtol=1e-5, atol=1e-6)


def test_a_walk_through_the_weighted_permute_mlp_shows_its_branch_weights(image):
    model = TINY["Vision Permutator"]().eval()
    found = made_in(walk(model, image, "stages.0.blocks.0.token_mixing"))
    shares = [found[key] for key in found if key[1] in ("of_height", "of_width", "of_channel")]
    assert [made.axes for made in shares] == [("b", "1", "1", "c")] * 3
    torch.testing.assert_close(sum(made.value for made in shares), torch.ones_like(shares[0].value))
    columns = next(made for (_, name), made in found.items() if name == "columns")
    assert columns.axes == ("b", "g", "w", "(h s)")


class Toy(nn.Module):
    """Something whose every tensor is known."""

    def forward(self, x):
        twice = 2 * x
        for _ in range(2):
            twice = twice + 1
        return twice.sum()


class Shell(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.toy, self.unused, self.broken = Toy(), Toy(), Broken()

    def forward(self, image):
        made = self.toy(image)
        return self.broken(made) if len(image) == 2 else made


class Broken(nn.Module):
    def forward(self, x):
        raise RuntimeError("on purpose")


def test_each_turn_of_a_loop_is_a_step_with_its_own_values():
    x = torch.arange(3.0)
    steps = walk(Shell(), x, "toy").steps
    twice = [made.value.tolist() for step in steps for made in step.made if made.name == "twice"]
    assert twice == [[0, 2, 4], [1, 3, 5], [2, 4, 6]]
    assert steps[-1].made[-1].value == 12


def test_nothing_is_left_behind(image):
    """No trace function, no hook, whether the block ends well or not."""

    def tracer(*_):
        return None

    model = TINY["Vision Permutator"]().eval()
    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        walk(model, image, first_block(model))
        assert sys.gettrace() is tracer
        with pytest.raises(RuntimeError, match="on purpose"):
            walk(Shell(), torch.ones(2), "broken")
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_a_walk_changes_nothing(image):
    model = TINY["MobileViT"]().eval()
    with torch.no_grad():
        before = model(image)
        walk(model, image, first_block(model))
        assert torch.equal(model(image), before)


@pytest.mark.parametrize(
    ("block", "reason"), [("nowhere", "no part"), ("unused", "does not run"), ("toy.x", "no part")]
)
def test_what_cannot_be_walked_says_why(block, reason):
    with pytest.raises(ChoiceError, match=reason):
        walk(Shell(), torch.ones(3), block)


def test_a_part_without_python_source_says_so():
    made = {"nn": nn}
    exec("class Unwritten(nn.Module):\n    def forward(self, x):\n        return x", made)
    with pytest.raises(ChoiceError, match="no forward in Python"):
        walk(nn.Sequential(made["Unwritten"]()), torch.ones(1, 1), "0")


def test_two_people_walk_at_once_and_each_sees_their_own(explorer, star):
    """The trace function belongs to the thread, the hooks to the model behind its lock."""
    names = ["vip_nano", "mixer_nano"] * 4
    alone = {name: explorer.code_walk(name, star).steps[-1].made[-1].value for name in set(names)}
    explorer = Explorer(device="cpu", cache=Forgetful())
    found: list[tuple[str, torch.Tensor]] = []

    def one(name: str) -> None:
        found.append((name, explorer.code_walk(name, star).steps[-1].made[-1].value))

    threads = [threading.Thread(target=one, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(names)
    assert all(torch.equal(value, alone[name]) for name, value in found)


@pytest.mark.parametrize("name", NANOS)
def test_the_walk_begins_where_tokens_mix(explorer, star, name):
    found = explorer.code_walk(name, star)
    assert sum(bool(step.made) for step in found.steps) >= 3
    assert all(any(made.axes) for step in found.steps for made in step.made if made.value.ndim > 1)


def test_the_equation_of_the_paper_stands_beside_its_line(explorer, star):
    found = explorer.code_walk("vip_nano", star, block="stages.0.blocks.0")
    said = [step.statement.equation for step in found.steps if step.statement.equation]
    assert said == ["eq. 1: Y = Permute-MLP(LN(X)) + X", "eq. 2: Z = Channel-MLP(LN(Y)) + Y"]


def test_a_statement_is_found_by_any_of_its_lines():
    code = Toy.forward.__code__
    found = listing(code.co_filename, code.co_firstlineno)
    assert found.name == "Toy.forward"
    assert [one.source for one in found.statements][1:] == [
        "twice = 2 * x",
        "for _ in range(2):",
        "twice = twice + 1",
        "return twice.sum()",
    ]


def test_a_pattern_is_drawn_from_every_axis_to_where_it_goes():
    made = drawing("b h (w s) -> b s (h w)", (2, 3, 20))
    assert [box.name for box in made.before] == ["b", "h", "w", "s"]
    assert [(box.name, box.size) for box in made.after] == [("b", 2), ("s", 3), ("h", None), ("w", None)]
    assert [group.size for group in made.groups_after] == [20]
    places = [{box.name: box.middle for box in side} for side in (made.before, made.after)]
    assert set(made.links) == {(places[0][name], places[1][name]) for name in "bhws"}


def test_an_axis_that_is_reduced_goes_nowhere():
    made = drawing("b h w c -> b c")
    assert [box.kept for box in made.before] == [True, False, False, True]
    assert len(made.links) == 2


def test_axes_in_brackets_count_as_one():
    assert axes_in("b (h s) w 1") == ("b", "(h s)", "w", "1")


def test_maps_have_their_channels_last_whatever_the_layout():
    values = np.arange(2 * 3 * 4).reshape(1, 2, 3, 4)
    (first,) = looks(values, ("b", "c", "h", "w"))
    (second,) = looks(np.moveaxis(values, 1, 3), ("b", "h", "w", "c"))
    assert first.kind == second.kind == "map"
    assert first.has_places
    assert np.array_equal(first.values, second.values)


def test_a_stack_of_matrices_is_taken_apart():
    found = looks(np.zeros((4, 2, 5, 6)), ("b", "heads", "q", "k"))
    assert [one.label for one in found] == ["b 0 heads 0", "b 0 heads 1", "b 1 heads 0", "b 1 heads 1"]
    assert all(one.kind == "matrix" and one.values.shape == (5, 6) for one in found)


class Mixed(nn.Module):
    """Maps that lie both ways, tokens and attention, in a model that writes into its tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 12, 4, 4)
        self.blocks = nn.Sequential(MixedBlock(), MixedBlock())
        self.head = nn.Linear(12, 5)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))


class MixedBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(12, 12, 3, padding=1), nn.LayerNorm(12)

    def forward(self, x):
        maps = self.conv(x)
        last = self.norm(maps.permute(0, 2, 3, 1))
        tokens = last.flatten(1, 2)
        heads = tokens.unflatten(2, (2, 6)).transpose(1, 2)
        shares = (heads @ heads.transpose(-2, -1)).softmax(-1)
        mixed = (shares @ heads).transpose(1, 2).flatten(2).unflatten(1, x.shape[2:]).permute(0, 3, 1, 2)
        total = x + mixed
        kept = total
        kept *= 2
        return kept


def walked_through(model: nn.Module, block: str):
    found = find(model, (32, 32))
    image = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return walk(Foreign(model, found.stations, found), image, block)


def test_axes_of_a_model_of_others_are_named_where_they_are_known_and_else_not_at_all():
    torch.manual_seed(0)
    made = {name: one for (_, name), one in made_in(walked_through(Mixed().eval(), "blocks.0")).items()}
    first, last = ("b", "c", "h", "w"), ("b", "h", "w", "c")
    expected = {"self.conv": first, "maps": first, "mixed": first, "last": last, "returns": first}
    expected |= {"shares": ("b", "heads", "queries", "keys"), "heads": ("", "", "", "")}
    assert {name: made[name].axes for name in expected} == expected
    seen = looks(made["maps"].value.numpy(), made["maps"].axes)
    assert np.array_equal(seen[0].values, np.moveaxis(made["maps"].value[0].numpy(), 0, 2))
    assert [one.kind for one in looks(made["heads"].value.numpy(), made["heads"].axes)] == ["matrix"] * 2
    told = ShapeAxes(find(Mixed().eval(), (32, 32)), (1, 3, 32, 32))
    assert told(torch.zeros(1, 8, 8, 12)) == last
    assert told(torch.zeros(4, 8, 8, 12)) == ("", "", "", "")  # windows, and no pictures


def test_what_a_model_of_others_writes_into_later_is_shown_as_it_was():
    torch.manual_seed(0)
    steps = walked_through(Mixed().eval(), "blocks.0").steps
    before, after = (one.value for step in steps for one in step.made if one.name == "total")
    assert torch.equal(after, 2 * before)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_a_model_in_half_precision_is_walked_through(kind):
    torch.manual_seed(0)
    steps = walked_through(Mixed().eval().to(kind), "blocks.0").steps
    assert {made.value.dtype for step in steps for made in step.made} == {torch.float32}
    assert all(looks(made.value.numpy(), made.axes) for step in steps for made in step.made)


def test_the_walk_of_a_model_of_others_begins_where_its_first_gate_multiplies():
    model = made(SqueezeExcite)
    found = find(model, (32, 32))
    assert found.gates[0].module == "blocks.0.inner.fc.3"
    assert first_block(Foreign(model, found.stations, found)) == "blocks.0.inner"


class Spectrum(nn.Module):
    def forward(self, x):
        waves = torch.fft.rfft2(x)
        return torch.fft.irfft2(waves)


def test_complex_numbers_are_shown_by_their_size():
    torch.manual_seed(0)
    model = Mixed().eval()
    model.blocks[0].conv = nn.Sequential(Spectrum(), model.blocks[0].conv)
    made = made_in(walked_through(model, "blocks.0.conv.0"))
    waves = next(one for (_, name), one in made.items() if name == "|waves|")
    assert waves.value.dtype == torch.float32
    assert float(waves.value.min()) >= 0
