"""Models nobody prepared: their layers and gates are found, read and changed, and nothing stays on them."""

import re
from copy import deepcopy

import pytest
import torch
from einops import rearrange
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as others write it

from explorer.any_model import chains
from explorer.any_model.find import find
from explorer.any_model.foreign import Foreign
from explorer.any_model.listening import listening
from explorer.any_model.opened_attention import FAST_PATH
from explorer.any_model.places import Place
from explorer.any_model.watch import watched
from explorer.capture import editing, hooked, probes, run
from explorer.errors import ChoiceError
from models.probe import Kind, Role
from tests.foreign import (
    GATES,
    SIDE,
    Activations,
    Attention,
    EncoderLayer,
    FunctionalBranches,
    Net,
    Residual,
    SqueezeExcite,
    Star,
    Tokens,
    made,
)
from tests.odd import odd
from tests.tiny import TINY
from tests.unusual import UNUSUAL, Chooses

ALL = GATES | UNUSUAL
BESIDE = (Kind.FEATURE_MAP, Kind.BRANCHES, Kind.VECTOR)


@pytest.fixture
def image():
    return torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def found_in(model):
    found = find(model, (SIDE, SIDE))
    return found, Foreign(model, found.stations, found)


def told(gate):
    return gate.kind, gate.axes, gate.shape, gate.activation


@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_every_gate_is_found_and_nothing_else(make):
    found, _ = found_in(made(make))
    assert [told(gate) for gate in found.gates] == ALL[make] * 2
    for gate in found.gates:
        assert re.search("inner(.layer.self_attn|.attention|.two)?$", gate.applied_to)
        assert gate.module.startswith(gate.applied_to)


@pytest.mark.parametrize("half", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.parametrize(
    "make", [make for make in ALL if ALL[make] and make is not Chooses], ids=lambda make: make.__name__
)
def test_a_gate_that_is_changed_moves_the_logits_and_one_released_gives_them_back(make, half, image):
    model = made(make).requires_grad_(False)
    model = model.bfloat16() if half else model
    _, foreign = found_in(model)
    with torch.no_grad():
        before = foreign(image)
        with FAST_PATH.off():
            assert torch.equal(before, model(image.bfloat16() if half else image).float())
        for name, probe in probes(foreign).items():
            if probe.kind not in BESIDE:
                with hooked({probe: editing(lambda value: value * 0.2 + value.mean(1, keepdim=True).exp())}):
                    moved = foreign(image)
                assert not torch.equal(moved, before), name
                assert torch.equal(foreign(image), before), name


def test_fused_attention_is_opened_when_somebody_looks(image):
    apart, fused = (found_in(made(Attention, fused=fused))[1] for fused in (False, True))
    one, other = run(apart, image), run(fused, image)
    assert [found.name for found in one.of(Kind.ATTENTION)] == [
        found.name for found in other.of(Kind.ATTENTION)
    ]
    for first, second in zip(one.of(Kind.ATTENTION), other.of(Kind.ATTENTION), strict=True):
        torch.testing.assert_close(first.value, second.value)
    torch.testing.assert_close(one.logits, other.logits)


def test_fused_attention_stays_fused_while_its_weights_are_only_read(image):
    model = made(Attention, fused=True)
    with torch.no_grad():
        assert torch.equal(run(found_in(model)[1], image).logits, model(image))


class WritesLater(nn.Module):
    """Whatever is looked at is written over before the pass ends."""

    def __init__(self, width: int, writes: bool = True) -> None:
        super().__init__()
        self.qkv, self.star, self.writes = (
            nn.Conv2d(width, 3 * width, 1),
            nn.Conv2d(width, 2 * width, 1),
            writes,
        )

    def forward(self, x):
        tokens = self.qkv(x).flatten(2).transpose(1, 2).clone()
        attended = F.scaled_dot_product_attention(*tokens.chunk(3, -1)).transpose(1, 2).reshape(x.shape)
        both = self.star(x)
        one, two = both.chunk(2, 1)
        made = attended + one * two
        if self.writes:
            tokens.zero_(), both.zero_()
        return made


def test_what_a_model_writes_over_later_is_shown_as_it_was(image):
    one, other = (run(found_in(made(WritesLater, writes=writes))[1], image) for writes in (True, False))
    assert {Kind.ATTENTION, Kind.MODULATION} <= {found.kind for found in one.activations.values()}
    for name, found in other.activations.items():
        torch.testing.assert_close(one.activations[name].value, found.value, msg=name)


def test_a_tensor_that_is_read_and_changed_at_once_is_read_as_it_goes_on(image):
    _, foreign = found_in(made(Tokens))
    (name,) = [one for one in probes(foreign) if one == "blocks.0.output"]
    with hooked({probes(foreign)[name]: editing(torch.zeros_like)}):
        seen = run(foreign, image)
    assert not seen.activations[name].value.any()
    assert seen.activations["blocks.1.output"].value.any()


ATTENTIONS = {
    "as it comes": {},
    "with its weights": {"need_weights": True},
    "of each head": {"need_weights": True, "average_attn_weights": False},
    "hidden keys": {"key_padding_mask": torch.arange(6)[None] > torch.tensor([[5], [3]])},
    "a mask": {"attn_mask": torch.ones(6, 6, dtype=torch.bool).triu(1)},
    "what it adds": {"attn_mask": torch.linspace(-1, 1, 36).reshape(6, 6)},
    "a mask for each head": {"attn_mask": torch.linspace(-1, 1, 4 * 36).reshape(4, 6, 6)},
    "only what came before": {"attn_mask": torch.full((6, 6), -torch.inf).triu(1), "is_causal": True},
    "both masks": {"key_padding_mask": torch.arange(6)[None] > torch.tensor([[5], [3]])}
    | {"attn_mask": torch.ones(6, 6, dtype=torch.bool).triu(1)},
}


@pytest.mark.parametrize("kind", [{}, {"add_bias_kv": True}, {"add_zero_attn": True}, {"kdim": 8, "vdim": 8}])
@pytest.mark.parametrize("asked", ATTENTIONS.values(), ids=ATTENTIONS)
def test_attention_of_many_heads_in_steps_is_what_pytorch_computes_in_one_call(asked, kind):
    torch.manual_seed(0)
    part = nn.MultiheadAttention(8, 2, **kind).eval()
    query, other = torch.randn(2, 6, 2, 8)
    met = []

    class Wraps(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.part = part

        def forward(self, given):
            made, weights = self.part(given, other, other, **{"need_weights": False, **asked})
            return made if weights is None else torch.cat([made.flatten(), weights.flatten()])

    model = Wraps()
    with torch.no_grad(), FAST_PATH.off():
        expected = model(query)
        with listening(model, {Place("part", 0, "multi_head_attention_forward"): met.append}):
            found = model(query)
    torch.testing.assert_close(found, expected)
    (weights,) = met
    assert weights.shape == (2, 2, 6, 6 + len(kind) % 2)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 6))


@FAST_PATH.off()
@FAST_PATH.off()
def fail_where_it_is_off():
    assert not torch.backends.mha.get_fastpath_enabled()
    raise RuntimeError("boom")


def test_the_fast_path_of_pytorch_is_as_it_was_once_nobody_looks():
    switch = torch.backends.mha
    for before in (True, False):
        switch.set_fastpath_enabled(before)
        try:
            with pytest.raises(RuntimeError, match="boom"):
                fail_where_it_is_off()
            assert switch.get_fastpath_enabled() is before
            find(made(EncoderLayer), (SIDE, SIDE))
            with pytest.raises(ChoiceError, match="layout"):
                find(made(EncoderLayer), (SIDE, SIDE), "b q h w")
            assert switch.get_fastpath_enabled() is before
        finally:
            switch.set_fastpath_enabled(True)


@pytest.mark.parametrize("family", ["Vision Permutator", "S2-MLPv2"])
def test_the_finder_gives_the_very_probes_our_own_files_declare(family, image):
    torch.manual_seed(0)
    model = TINY[family]().eval()
    _, foreign = found_in(model)
    seen = run(foreign, image, target=1, gradients_at=list(probes(foreign)))
    declared, found = (
        [one for one in seen.activations.values() if one.name in names] for names in split(seen, model)
    )
    assert len(found) == len(declared)
    for one in declared:
        alike = [other for other in found if (other.kind, other.role) == (one.kind, one.role)]
        same = [other.name for other in alike if torch.equal(other.value, one.value)]
        assert any(torch.equal(seen.gradients[name], seen.gradients[one.name]) for name in same), one.name
    for name in (found[-1].name, next(one.name for one in found if one.role is Role.MIXED)):
        (own,) = [one.name for one in declared if torch.equal(one.value, seen.activations[name].value)]
        logits = [
            run(foreign, image, edits={probe: lambda value: value.flip(-1)}).logits for probe in (name, own)
        ]
        assert torch.equal(*logits)
        assert not torch.equal(logits[0], seen.logits)


def split(seen, model):
    """The names of the probes a model declares, and of those that were found in it."""
    declared = set(probes(model))
    return declared, seen.activations.keys() - declared


class AddsInPlace(nn.Module):
    """A block that adds to what it was given without making anything new."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(width), nn.Conv2d(width, width, 3, padding=1)
        self.norm2, self.mlp = nn.BatchNorm2d(width), nn.Conv2d(width, width, 1)

    def forward(self, x):
        x = x.clone()
        x.add_(self.conv(self.norm(x)))
        return x.add_(self.mlp(self.norm2(x)))


def test_a_sum_inside_a_block_is_read_and_changed_where_it_is_added_up(image):
    model = made(AddsInPlace)
    model.blocks = nn.Sequential(AddsInPlace(8), AddsInPlace(8)).eval()
    _, foreign = found_in(model)
    mixed = [name for name, probe in probes(foreign).items() if probe.role is Role.MIXED]
    assert mixed == ["blocks.0.mixed", "blocks.1.mixed"]
    with torch.no_grad():
        block, x = model.blocks[1], model.blocks[0](model.stem(image))
        summed = x + block.conv(block.norm(x))
        seen = run(foreign, image)
        assert torch.equal(seen.activations["blocks.1.mixed"].value, rearrange(summed, "b c h w -> b h w c"))
        changed = run(foreign, image, edits={"blocks.1.mixed": lambda value: 2 * value}).logits
        expected = model.head((2 * summed + block.mlp(block.norm2(2 * summed))).mean((2, 3)))
        torch.testing.assert_close(changed, expected)
        assert torch.equal(run(foreign, image).logits, model(image))


@pytest.mark.parametrize("make", [Star, Activations, Tokens], ids=lambda make: make.__name__)
def test_layers_and_their_layout_are_found(make, image):
    model = made(make)
    found, foreign = found_in(model)
    assert found.undecided == ()
    seen = run(foreign, image)
    kept = {}
    hooks = {part: lambda part, _args, value: kept.__setitem__(part, value.clone()) for part in model.blocks}
    with torch.no_grad(), hooked(hooks):
        model(image)
    for number, block in enumerate(model.blocks):
        native = kept[block][:, 1:] if make is Tokens else kept[block]
        pattern = "b (h w) c -> b h w c" if make is Tokens else "b c h w -> b h w c"
        expected = rearrange(native, pattern, h=8)
        assert torch.equal(seen.activations[f"blocks.{number}.output"].value, expected)


def test_a_layout_is_told_from_another_size_where_one_is_taken_and_else_from_a_shift():
    evidence = [found_in(made(make))[0].layers[-1].layout.evidence for make in (Star, Tokens)]
    assert evidence == ["sizes and shift", "shift"]


class TokensBehind(Tokens):
    """The class token comes last."""

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([x, self.cls.expand(len(x), -1, -1)], 1) + self.place
        for block in self.blocks:
            x = block(x)
        return self.head(x[:, -1])


def test_tokens_may_stand_before_the_places_and_behind_them(image):
    torch.manual_seed(0)
    model = TokensBehind().eval()
    found, foreign = found_in(model)
    assert {one.layout.written for one in found.layers[1:]} == {"b (h w + 1) c"}
    with torch.no_grad():
        block = model.blocks[0]
        kept = []
        with hooked({block: lambda _part, _args, value: kept.append(value)}):
            seen = run(foreign, image)
        name = "blocks.0.output"
        assert torch.equal(
            seen.activations[name].value, rearrange(kept[0][:, :-1], "b (h w) c -> b h w c", h=8)
        )
        same = editing(torch.clone)
        with hooked({probes(foreign)[name]: same}):
            assert torch.equal(foreign(image), model(image))
    assert {one.layout.written for one in found_in(made(Tokens))[0].layers[1:]} == {"b (1 + h w) c"}


class Stage(nn.Module):
    def __init__(self, depth: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Residual(SqueezeExcite(8), 8) for _ in range(depth))

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


def test_a_stage_of_one_block_is_looked_into_where_others_have_more():
    torch.manual_seed(0)
    model = Net(SqueezeExcite)
    model.stem, model.blocks = nn.Conv2d(3, 8, 4, 4), nn.Sequential(Stage(1), Stage(2))
    layers = [
        (one.module, one.role) for one in chains.layers(watched(model, torch.zeros(1, 3, 32, 32)), model)
    ]
    inside = [pair for pair in layers if pair[0].startswith("blocks.")]
    assert inside == [
        ("blocks.0.blocks.0", Role.BLOCK),
        ("blocks.0", Role.STAGE),
        ("blocks.1.blocks.0", Role.BLOCK),
        ("blocks.1.blocks.1", Role.BLOCK),
        ("blocks.1", Role.STAGE),
    ]


def test_of_several_maps_a_block_puts_out_each_is_a_layer(image):
    model = odd("two scales")
    found, foreign = found_in(model)
    blocks = [one for one in found.layers if one.module.startswith("blocks.")]
    assert [(one.shape, one.layout.written) for one in blocks] == [
        ((1, 8, 8, 8), "b c h w"),
        ((1, 8, 4, 4), "b c h w"),
    ] * 3
    kept = []
    with torch.no_grad(), hooked({model.blocks[1]: lambda _part, _args, value: kept.extend(value)}):
        seen = run(foreign, image)
        for name, value in zip(("blocks.1.output", "blocks.1.output_2"), kept, strict=True):
            assert torch.equal(seen.activations[name].value, rearrange(value, "b c h w -> b h w c"))
    both = {
        probes(foreign)[name]: editing(torch.zeros_like) for name in ("blocks.2.output", "blocks.2.output_2")
    }
    with torch.no_grad():
        before = foreign(image)
        with hooked(both):
            assert torch.equal(foreign(image)[0], model.head.bias)
        assert torch.equal(foreign(image), before)


def test_a_layout_can_be_given_by_hand_and_has_to_fit():
    found = find(made(Star), (SIDE, SIDE), {"blocks.*": "b h w c"})
    assert [one.layout.evidence for one in found.layers if one.module.startswith("blocks.")] == ["given"] * 2
    for wrong in ("b q h w", "b (3 + h w) c"):
        with pytest.raises(ChoiceError, match="layout"):
            find(made(Star), (SIDE, SIDE), wrong)


def test_what_cannot_be_decided_is_said():
    class Pooled(Net):
        def forward(self, x):
            x = self.stem(x).mean((2, 3), keepdim=True).expand(-1, -1, 8, 8)  # no place is unlike another
            return self.head(self.blocks(x).mean((2, 3)))

    torch.manual_seed(0)
    found, foreign = found_in(Pooled(FunctionalBranches).eval())
    blocks = [one for one in found.layers if one.module.startswith("blocks.")]
    assert blocks
    assert all("Neither" in one.why for one in blocks)
    assert not [name for name in probes(foreign) if name.startswith("blocks.") and name.endswith(".output")]


def flags(model):
    return [(part.training, [one.requires_grad for one in part.parameters()]) for part in model.modules()]


@pytest.mark.parametrize("when", ["watching", "listening"])
def test_nothing_stays_on_a_model_also_after_an_error(when, image):
    model = made(FunctionalBranches)
    _, foreign = found_in(model)
    before = flags(model)
    model.head.register_forward_pre_hook(lambda *_: (_ for _ in ()).throw(RuntimeError("boom")))
    with pytest.raises(RuntimeError, match="boom"):
        find(model, (SIDE, SIDE)) if when == "watching" else run(foreign, image)
    parts = [*model.modules(), *probes(foreign).values()]
    hooks = [(part._forward_hooks, part._forward_pre_hooks) for part in parts if part is not model.head]
    assert not any(any(pair) for pair in hooks)
    assert not any(probe.reader for probe in probes(foreign).values())
    assert not torch.overrides._get_current_function_mode_stack()
    assert flags(model) == before


def test_a_copy_of_a_facade_is_listened_to_by_itself(image):
    _, foreign = found_in(made(FunctionalBranches))
    copy = deepcopy(foreign)
    for one, other in zip(
        run(foreign, image).activations.values(), run(copy, image).activations.values(), strict=True
    ):
        assert one.name == other.name
        assert torch.equal(one.value, other.value)


def test_a_model_in_its_facade_keeps_the_names_of_its_parameters_and_parts():
    model = made(FunctionalBranches)
    _, foreign = found_in(model)
    assert list(foreign.state_dict()) == list(model.state_dict())
    assert [name for name, _ in foreign.named_parameters()] == [name for name, _ in model.named_parameters()]
    assert dict(foreign.named_modules())[""] is model
