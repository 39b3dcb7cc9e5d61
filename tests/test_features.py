"""What the Maps tab says about channels, places and numbers, against cases solved by hand."""

import numpy as np
import pytest
import torch
from einops import rearrange
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.capture import Activation, probes, run
from explorer.errors import ChoiceError, NoMapError
from explorer.explorer import Explorer
from explorer.features.feature_maps import BRANCH, FeatureMap, feature_map, pca_colour, probed, same_stream
from explorer.features.pca import components
from explorer.features.ranking import correlation, ranked, reduced, relevance
from explorer.features.similarity import similar_places
from explorer.features.statistics import statistics
from explorer.ui.events import Place
from explorer.ui.selection import selected
from explorer.ui.tabs.maps import grid
from explorer.ui.tabs.maps.shown_map import cell_of
from models.probe import Kind, Probe
from models.scenes import CLASSES

STAR = "assets/examples/2-star.png"


def made(values) -> FeatureMap:
    return FeatureMap("layer", np.asarray(values, np.float32))


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


# What can be looked at


def test_every_probe_is_offered_and_each_branch_by_itself(model, image):
    whole = run(model, image)
    names = probed(whole)
    kinds = [found.kind for found in whole.activations.values() if found.kind is not Kind.BRANCH_LOGITS]
    branches = sum(len(found.branches) for found in whole.of(Kind.BRANCHES))
    assert len(names) == len(kinds) - kinds.count(Kind.BRANCHES) + branches
    for name in names:
        probe = whole.activations[name.partition(BRANCH)[0]]
        if probe.kind in (Kind.VECTOR, Kind.BRANCH_WEIGHTS):
            with pytest.raises(NoMapError, match="without places"):
                feature_map(whole, name)
        else:
            assert feature_map(whole, name).values.ndim == 3


def test_a_branch_is_its_part_of_the_probe(explorer):
    whole = explorer.inspect("vip_nano", STAR, "scenes")
    name = "stages.0.blocks.0.token_mixing.branches"
    shown = feature_map(whole, f"{name} · width").values
    np.testing.assert_array_equal(shown, whole.activations[name].value[0, 1].numpy())
    with pytest.raises(ChoiceError, match="no feature map"):
        feature_map(whole, f"{name} · depth")


def test_the_rows_of_an_attention_map_add_up_to_one(explorer):
    whole = explorer.inspect("mobilevit_nano", STAR, "scenes")
    features = feature_map(whole, "stages.2.1.transformer.0.attn.attention")
    np.testing.assert_allclose(features.values.sum(axis=1), 1, atol=1e-5)
    assert features.channels == 4 * 4  # four parts of the picture, four heads
    expected = whole.activations[features.layer].value[1, 2].numpy()
    np.testing.assert_array_equal(features.channel(4 + 2), expected)
    with pytest.raises(NoMapError, match="no vector"):
        similar_places(features, 0, 0)


def test_a_channel_is_followed_through_layers_of_the_same_width_only(explorer):
    whole = explorer.inspect("vip_nano", STAR, "scenes")
    names = [one.layer for one in same_stream(whole, "stages.1.output")]
    assert names[0] == "stages.1.downsample.output"
    assert names[-1] == "normed"
    assert len(names) == 1 + 4 * 3 + 2  # blended, after tokens and output of four blocks
    width = same_stream(whole, "stages.0.blocks.1.token_mixing.branches · width")
    assert [one.layer[-5:] for one in width] == ["width", "width"]


def test_what_is_saved_is_the_whole_tensor_in_both_orders_of_its_axes(explorer):
    asks = selected(STAR, "as_mlp_nano", "scenes", None, None)
    for layer in ("stages.0.output", "stages.0.blocks.0.axial_shift.branches · vertical"):
        probe = explorer.inspect("as_mlp_nano", STAR, "scenes").activations[layer.partition(BRANCH)[0]]
        make, _ = grid.save(explorer, asks, "npz", layer, "relevance", grid.OWN, 1)
        saved = np.load(_file(make({}, False)))
        np.testing.assert_array_equal(saved["tensor"], probe.value.numpy())
        own = rearrange(saved["tensor"], f"{saved['axes']} -> {saved['own_axes']}")
        np.testing.assert_array_equal(saved["own"], own)
        assert saved["own"].shape != saved["tensor"].shape
        assert saved["scores"].shape == saved["values"].shape[-1:]


def _file(content: bytes):
    import io

    return io.BytesIO(content)


# Which channels matter


class Linear(nn.Module):
    """Logits that are a weighted sum over the places of three channels: the gradient is the weight."""

    def __init__(self) -> None:
        super().__init__()
        self.map = Probe(Kind.FEATURE_MAP, "b c h w -> b h w c")
        self.parts = Probe(Kind.BRANCHES, "branches b c h w -> b branches h w c", branches=("once", "twice"))
        self.weights = torch.tensor([[1.0, -2.0, 0.0], [3.0, 0.0, 0.5]])

    def forward(self, x):
        once, twice = self.parts([self.map(1.0 * x), 2 * x])
        return (once + 10 * twice).sum(dim=(2, 3)) @ self.weights.T


def test_relevance_of_a_linear_model_is_weight_times_activation():
    image = torch.rand(1, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    network = Linear().eval()
    whole = run(network, image, target=1, gradients_at=tuple(probes(network)))
    found = relevance(whole)
    sums = image[0].sum(dim=(1, 2)).numpy()
    np.testing.assert_allclose(found["map"], sums * (3, 0, 0.5), rtol=1e-5)
    np.testing.assert_allclose(found["parts · once"], sums * (3, 0, 0.5), rtol=1e-5)
    np.testing.assert_allclose(found["parts · twice"], 2 * sums * (30, 0, 5), rtol=1e-5)
    assert ranked(found["map"])[-1] == 1


def test_relevance_is_that_of_the_class_and_of_every_map(explorer):
    whole = explorer.inspect("vip_nano", STAR, "scenes")
    star = explorer.relevance("vip_nano", STAR, "scenes")
    ring = explorer.relevance("vip_nano", STAR, "scenes", target=CLASSES.index("ring"))
    assert set(star) == {name for name in probed(whole) if "weights" not in name and name != "pooled"}
    assert np.abs(star["stages.1.output"] - ring["stages.1.output"]).max() > 1e-3
    assert explorer.relevance("vip_nano", STAR, "scenes") is star


def test_relevance_of_what_is_only_pooled_and_weighed_adds_up_to_the_logit(explorer):
    """Nothing but a mean and a linear head follows the last map: the sum is the logit without its bias."""
    whole = explorer.inspect("vip_nano", STAR, "scenes")
    loaded = explorer.load("vip_nano", "scenes")
    target = int(whole.logits.argmax())
    head = [module for module in loaded.model.modules() if isinstance(module, nn.Linear)][-1]
    found = explorer.relevance("vip_nano", STAR, "scenes")["normed"].sum()
    assert found == pytest.approx(float(whole.logits[0, target] - head.bias[target]), rel=1e-4)


def test_a_single_block_says_why_nothing_is_relevant(explorer):
    asks = selected(STAR, "WeightedPermuteMLP(dim=16, seg_dim=4)", "random", None, None)
    page = grid.draw(explorer, asks, layer="", sort="relevance", scale=grid.OWN, page=1)
    assert "A single block has no classes" in page
    assert "data-pick" in page


def test_a_channel_that_is_the_cause_correlates_fully():
    cause = np.zeros((8, 8), bool)
    cause[2:5, 1:4] = True
    values = np.stack([cause, -3.0 * cause + 7, np.ones((8, 8)), np.arange(64).reshape(8, 8) % 2], axis=-1)
    found = correlation(made(values), cause)
    np.testing.assert_allclose(found[:3], [1, -1, 0], atol=1e-6)
    assert abs(found[3]) < 0.2
    assert set(ranked(found)[:2].tolist()) == {0, 1}


def test_a_cause_is_reduced_by_area():
    cause = np.zeros((6, 6), bool)
    cause[0:3, 0:2] = True
    np.testing.assert_allclose(reduced(cause, (2, 2)), [[2 / 3, 0], [0, 0]], atol=1e-6)
    np.testing.assert_allclose(reduced(cause, (4, 4)).mean(), cause.mean(), atol=1e-6)


def test_a_picture_without_a_known_cause_is_ordered_by_activation_and_says_so(explorer, star, tmp_path):
    star.save(tmp_path / "mine.png")
    asks = selected(str(tmp_path / "mine.png"), "vip_nano", "scenes", None, None)
    features = feature_map(asks.run(explorer), "stages.1.output")
    found = grid.order(explorer, asks, features, "cause")
    assert found.channels.tolist() == features.order("activation").tolist()
    assert "only the example pictures" in found.remark.lower()
    known = selected(STAR, "vip_nano", "scenes", None, None)
    assert (
        grid.order(explorer, known, feature_map(known.run(explorer), "stages.1.output"), "cause").remark == ""
    )


# The colours


@given(st.integers(0, 10_000), st.integers(1, 7), st.integers(2, 9), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_colours_do_not_know_the_order_nor_the_sign_of_channels(seed, rows, columns, channels):
    values = noise(seed, rows, columns, channels)
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1, 1], channels)
    other = (values * signs)[..., rng.permutation(channels)]
    np.testing.assert_allclose(components(values), components(other), atol=1e-5)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_equally_strong_directions_come_out_the_same(seed):
    """Four directions of one length, seen through any rotation of the channels."""
    rng = np.random.default_rng(seed)
    waves = rng.standard_normal((30, 4))
    waves = 5 * np.linalg.qr(waves - waves.mean(axis=0))[0]
    turns = [np.linalg.qr(rng.standard_normal((6, 6)))[0][:4] for _ in range(2)]
    first, second = (components((waves @ turn).reshape(5, 6, 6)) for turn in turns)
    np.testing.assert_allclose(first, second, atol=1e-6)
    np.testing.assert_allclose((first**2).sum(axis=(0, 1)), 25)


def test_scores_are_those_of_the_singular_values():
    values = noise(3, 6, 7, 9)
    places = values.reshape(42, 9).astype(np.float64)
    left, lengths, _ = np.linalg.svd(places - places.mean(axis=0), full_matrices=False)
    expected = (left * lengths)[:, :3].reshape(6, 7, 3)
    np.testing.assert_allclose(np.abs(components(values)), np.abs(expected), atol=1e-9)
    assert ((components(values) ** 3).mean(axis=(0, 1)) > 0).all()


def test_a_direction_without_a_third_moment_is_turned_by_its_first_far_place():
    values = np.array([[[1.0, 0], [-1, 0], [1, 0], [-1, 0]]], np.float32)
    for sign in (1, -1):
        np.testing.assert_allclose(components(sign * values)[0, :, 0], [1, -1, 1, -1], atol=1e-9)
    assert not components(values)[..., 1:].any()


def test_colours_do_not_know_the_number_of_threads(explorer):
    features = feature_map(explorer.inspect("vip_nano", STAR, "scenes"), "stages.0.output")
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = pca_colour(features)
        torch.set_num_threads(2)
        np.testing.assert_allclose(pca_colour(features), one, atol=1e-9)
    finally:
        torch.set_num_threads(before)


def test_colours_are_the_same_in_another_explorer(explorer):
    again = Explorer(device="cpu").inspect("vip_nano", STAR, "scenes")
    pixels = [
        (255 * pca_colour(feature_map(one, "stages.1.output"))).round()
        for one in (again, explorer.inspect("vip_nano", STAR, "scenes"))
    ]
    np.testing.assert_array_equal(*pixels)


# Places


def test_places_are_alike_by_the_angle_of_their_vectors():
    features = made([[[1, 0], [3, 0], [0, 2]], [[-2, 0], [1, 1], [0, 0]]])
    found = similar_places(features, 0, 0)
    expected = [[1, 1, 0], [-1, np.sqrt(0.5), np.nan]]
    np.testing.assert_allclose(found.values, expected, atol=1e-6)
    assert found.nearest(9) == [(0, 1), (1, 1), (0, 2), (1, 0)]
    assert found.strongest(1) == [0]
    assert found.vector.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("place", "message"),
    [((1, 2), "no direction"), ((2, 0), r"2 × 3 places; \(2, 0\)"), ((0, -1), "is none")],
)
def test_a_place_that_cannot_be_compared_gets_one_sentence(place, message):
    features = made([[[1, 0], [3, 0], [0, 2]], [[-2, 0], [1, 1], [0, 0]]])
    with pytest.raises(ChoiceError, match=message):
        similar_places(features, *place)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (Place.of_cell(3, 5, 8, 8), (3, 5)),
        (Place.of_cell(1, 2, 4, 4), (3, 5)),
        (Place.of_cell(6, 11, 16, 16), (3, 5)),
        (None, (4, 4)),
    ],
)
def test_a_cell_stays_where_it_is_in_the_picture(place, expected):
    assert cell_of(place, made(np.zeros((8, 8, 1)))) == expected


# Numbers


def test_the_numbers_of_a_layer_are_counted_by_their_definitions():
    values = np.zeros((2, 5, 4), np.float32)
    values[..., 0] = 3  # dead
    values[..., 1] = np.arange(10).reshape(2, 5) * 10 - 40  # -40 .. 50, one zero
    values[0, 0, 2] = 0.4  # nearly zero, but not dead
    found = statistics(made(values))
    assert (found.low, found.high) == (-40, 50)
    assert found.dead == (0, 3)
    assert found.zeros == pytest.approx((1 + 9 + 10) / 40)
    assert found.small == pytest.approx((1 + 10 + 10) / 40)
    assert found.mean == pytest.approx(values.mean())
    assert found.std == pytest.approx(values.std())
    assert found.counts.sum() == 40


def test_with_one_place_no_channel_is_called_dead():
    assert statistics(made(np.ones((1, 1, 3)))).dead == ()


@pytest.mark.parametrize("fill", [0.0, np.nan, np.inf])
def test_a_layer_of_nothing_has_numbers_and_colours(fill):
    features = made(np.full((3, 3, 2), fill))
    assert np.isfinite(pca_colour(features)).all()
    assert statistics(features).counts.sum() > 0


def test_gradients_of_a_list_are_in_the_axes_of_its_kind():
    network, image = Linear().eval(), torch.rand(1, 3, 2, 2)
    whole = run(network, image, target=0, gradients_at=("parts",))
    assert whole.gradients["parts"].shape == whole.activations["parts"].value.shape == (1, 2, 2, 2, 3)
    expected = torch.tensor([1.0, -2.0, 0.0])
    torch.testing.assert_close(whole.gradients["parts"][0, 1, 0, 0], 10 * expected)
    assert isinstance(whole.activations["parts"], Activation)
