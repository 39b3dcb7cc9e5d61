"""The procedural pictures, and the models trained on them."""

from functools import cache

import numpy as np
import pytest
import torch

from models import create, list_models, scenes
from models.checkpoint_facts import facts_of
from models.checkpoint_table import readme
from models.registry import ASSETS, card
from models.train import Schedule, as_image, confusion, train

LEAST = {
    "mixer_nano": 0.93,
    "s2mlp_nano": 0.93,
    "efficientnet_lite_nano": 0.9,
}  # accuracy asked of a nano; 97 % of the others
NANOS = [name for name in list_models() if "scenes" in card(name).weights]


def test_the_labels_are_the_classes():
    assert tuple((ASSETS / "labels" / "scenes.txt").read_text().splitlines()) == scenes.CLASSES


def test_a_seed_always_gives_the_same_scene():
    one, same = scenes.draw(12), scenes.draw(12)
    np.testing.assert_array_equal(one.picture, same.picture)
    assert not np.array_equal(one.picture, scenes.draw(13).picture)


@pytest.mark.parametrize("label", range(len(scenes.CLASSES)), ids=scenes.CLASSES)
def test_the_cause_is_where_the_object_is(label):
    scene = scenes.draw(4, 64, label)
    assert scene.label == label
    assert 0.02 < scene.mask.mean() < 0.4
    inside, outside = scene.picture[scene.mask], scene.picture[~scene.mask]
    assert np.abs(inside.mean(0) - outside.mean(0)).max() > 8 or inside.std() > 1.3 * outside.std()


def test_the_same_seed_is_the_same_scene_at_another_size():
    small, large = scenes.draw(8, 64), scenes.draw(8, 256)
    assert small.label == large.label
    overlap = large.mask.reshape(64, 4, 64, 4).mean((1, 3)) > 0.5
    assert (overlap == small.mask).mean() > 0.99


def test_all_classes_come_up():
    _, labels = scenes.batch(range(400), 16)
    assert set(labels.tolist()) == set(range(len(scenes.CLASSES)))


def test_training_never_sees_a_held_out_scene():
    schedule = Schedule()
    last = scenes.TRAINING_SEED + schedule.steps * schedule.batch
    assert not set(scenes.HELD_OUT) & {scenes.TRAINING_SEED, last}
    assert scenes.HELD_OUT.stop <= scenes.TRAINING_SEED


def test_training_is_reproducible_and_learns():
    schedule = Schedule(epochs=1, pictures=16, batch=4)  # half precision is slow without a GPU
    one, same = train("vip_nano", schedule), train("vip_nano", schedule)
    start = create("vip_nano", seed=0)
    assert torch.equal(one.head.weight, same.head.weight)
    assert not torch.equal(one.head.weight, start.head.weight)


@pytest.fixture(scope="module")
def _drawn_once():
    """Every model is shown the same scenes, and drawing them takes as long as looking at them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenes, "batch", cache(scenes.batch))
        yield


@pytest.mark.usefixtures("_drawn_once")
@pytest.mark.parametrize("name", NANOS)
def test_a_bundled_model_tells_held_out_scenes_apart(name):
    counts = confusion(create(name, weights="scenes"), card(name).image_size, range(500))
    # All 2,000 reach the least; 500 of them leave a standard error of about 1 %.
    assert float(counts.trace() / counts.sum()) >= LEAST.get(name, 0.97) - 0.01


@pytest.mark.parametrize("name", NANOS)
def test_a_bundled_file_is_small_and_says_what_it_is(name):
    path = card(name).weights["scenes"].source.path
    facts = facts_of(path)
    assert path.stat().st_size <= (4_000_000 if name == "vip_nano" else 5_000_000)
    assert facts["parameters"] == sum(p.numel() for p in create(name).parameters()) <= 1_200_000
    assert facts["accuracy"] >= LEAST.get(name, 0.97)


def test_every_family_has_a_nano_and_all_together_are_small():
    paths = [card(name).weights["scenes"].source.path for name in NANOS]
    assert {card(name).family for name in NANOS} == {card(name).family for name in list_models()}
    assert sum(path.stat().st_size for path in paths) <= 20_000_000


def test_the_table_of_checkpoints_is_what_the_files_say():
    assert (ASSETS / "weights" / "README.md").read_text() == readme(ASSETS / "weights")


def test_training_sees_what_the_page_shows(explorer):
    """The image a nano is trained on and the one `to_image` makes of the same picture are alike."""
    from PIL import Image

    from explorer.pictures import to_image

    picture = scenes.draw(5, 64).picture
    image, _ = to_image(Image.fromarray(picture), card("vip_nano").weights["scenes"].preprocess)
    expected = as_image(torch.from_numpy(picture.transpose(2, 0, 1)[None].copy()))
    torch.testing.assert_close(image, expected, rtol=0, atol=1e-6)
