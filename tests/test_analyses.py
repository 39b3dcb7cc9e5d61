"""Feature maps, colours and branch weights, as plain functions of a run."""

import numpy as np
import pytest
import torch

from explorer.capture import Activation, Run
from explorer.errors import ChoiceError
from explorer.features.feature_maps import FeatureMap, feature_map, layers, milestones, pca_colour
from explorer.reading import known
from explorer.reweighting.branch_weights import BlockWeights, block_of, branch_weights
from models.probe import Kind


@pytest.fixture(scope="module")
def found(explorer, star) -> Run:
    return explorer.inspect("vip_nano", star, "scenes")


def test_layers_come_in_the_order_of_the_pass(found):
    assert layers(found)[0] == "stem.output"
    assert layers(found)[-1] == "normed"


def test_a_channel_is_the_models_own_numbers(found):
    features = feature_map(found, "stages.0.output")
    expected = found.activations["stages.0.output"].value[0, :, :, 7]
    np.testing.assert_array_equal(features.channel(7), expected.numpy())


def test_channels_sort_by_size_and_by_variance():
    values = np.zeros((2, 2, 3), np.float32)
    values[..., 0] = -5  # large and constant
    values[0, 0, 2] = 4  # small on average, varies
    features = FeatureMap("layer", values)
    assert features.order("activation").tolist() == [0, 2, 1]
    assert features.order("variance").tolist() == [2, 0, 1]
    assert features.order("number").tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda run: feature_map(run, "nowhere"), "no feature map 'nowhere'"),
        (lambda run: feature_map(run, "pooled"), "no feature map 'pooled'"),
        (lambda run: feature_map(run, "stem.output").channel(64), "channels 0 to 63; there is no channel 64"),
        (lambda run: feature_map(run, "stem.output").channel(-1), "there is no channel -1"),
        (lambda run: feature_map(run, "stem.output").order("taste"), "not by 'taste'"),
        (lambda run: block_of(branch_weights(run), "blocks.99"), "no block 'blocks.99' that blends"),
    ],
)
def test_what_is_not_there_gets_one_sentence(found, call, message):
    with pytest.raises(ChoiceError, match=message):
        call(found)


def test_colours_are_the_strongest_directions():
    """Three independent waves of falling size, mixed into ten channels, come back one per colour."""
    rng = np.random.default_rng(0)
    waves = np.linalg.qr(rng.standard_normal((64, 3)) - 0)[0]
    waves = waves - waves.mean(axis=0)
    waves = np.linalg.qr(waves)[0] * (9, 3, 1)
    mixing = np.linalg.qr(rng.standard_normal((10, 3)))[0]
    colours = pca_colour(FeatureMap("layer", (waves @ mixing.T).reshape(8, 8, 10).astype(np.float32)))
    for channel in range(3):
        likeness = np.corrcoef(colours[..., channel].ravel(), waves[:, channel])[0, 1]
        assert abs(likeness) > 0.999


def test_colours_do_not_change_from_run_to_run_nor_with_the_order_of_channels(found):
    features = feature_map(found, "stages.1.output")
    once = pca_colour(features)
    np.testing.assert_array_equal(once, pca_colour(features))
    turned = FeatureMap(features.layer, features.values[..., ::-1].copy())
    np.testing.assert_allclose(once, pca_colour(turned), atol=1e-6)
    assert once.min() >= 0
    assert once.max() <= 1


def test_colours_of_a_map_without_differences_are_defined():
    assert np.isfinite(pca_colour(FeatureMap("layer", np.ones((4, 4, 2), np.float32)))).all()


def test_branch_weights_are_the_probes(found):
    blocks = branch_weights(found)
    assert len(blocks) == 6
    for block in blocks:
        expected = found.activations[f"{block.block}.branch_weights"].value[0].numpy()
        np.testing.assert_array_equal(block.values, expected)
        assert block.branches == ("height", "width", "channel")
        np.testing.assert_allclose(block.values.sum(axis=0), 1, atol=1e-6)
        np.testing.assert_allclose(block.mean.sum(), 1, atol=1e-6)


def test_entropy_tells_choosing_from_mixing():
    block = BlockWeights("block", ("a", "b"), np.array([[1.0, 0.5, 0.9], [0.0, 0.5, 0.1]]))
    np.testing.assert_allclose(block.entropy, [0, 1, 0.469], atol=1e-3)
    assert block.order("entropy").tolist() == [1, 2, 0]
    assert block.order("a").tolist() == [0, 2, 1]
    assert block.order("number").tolist() == [0, 1, 2]


def test_a_model_that_does_not_blend_has_no_blocks():
    vector = Activation("pooled", Kind.VECTOR, known(torch.ones(1, 3)))
    assert branch_weights(Run(torch.ones(1, 2), {"pooled": vector}, 0.1)) == ()


def test_trained_blocks_react_to_the_picture(explorer):
    """What the app is for: another picture, another blend in the last block."""
    from PIL import Image

    from models import scenes

    def last_means(label):
        pictures = [scenes.draw(seed, 64, scenes.CLASSES.index(label)).picture for seed in range(8)]
        runs = [explorer.inspect("vip_nano", Image.fromarray(picture), "scenes") for picture in pictures]
        return np.mean([branch_weights(run)[-1].mean for run in runs], axis=0)

    assert np.abs(last_means("vertical stripes") - last_means("star")).max() > 0.05


def test_milestones_are_where_the_shape_changes(found, explorer, star):
    assert milestones(found) == ("stem.output", "stages.0.output", "stages.1.output")
    mixer = milestones(explorer.inspect("mixer_s32", star, "random"))
    assert mixer[0] == "stem.output"
    assert mixer[-1] == "blocks.7.output"
    assert len(mixer) == 5
