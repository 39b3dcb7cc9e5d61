"""Photographs are read alike from every form they come in, and training on them goes on where it was left."""

import io
import pickle
import zipfile
from copy import deepcopy

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from models.augmentation import augmented
from models.checkpoint_facts import facts_of
from models.checkpoint_table import readme
from models.muon import Muon, orthogonal
from models.photograph_keeping import met_halfway, write
from models.photograph_recipe import Recipe, loss_of, optimisers
from models.photograph_report import calibration_error, logits_of, temperature_of
from models.photograph_training import Training, accuracy, train, with_ten_classes
from models.photographs import CIFAR10, NONE, SYNSETS, Photographs, cifar10, tiny_imagenet
from models.registry import create
from models.teachers import taught
from models.weights import in_half

TINY_RECIPE = Recipe(epochs=2, pictures=8, batch=4, familiar=1, foreign=1)


def drawn(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (count, 3, 32, 32), dtype=np.uint8)


def png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture.transpose(1, 2, 0)).save(file, "PNG")
    return file.getvalue()


def test_a_zip_a_folder_and_the_published_batches_hold_the_same(tmp_path):
    pictures = drawn(10)
    folder, batches = tmp_path / "folder", tmp_path / "batches"
    with zipfile.ZipFile(tmp_path / "cifar10.zip", "w") as archive:
        for index, (name, picture) in enumerate(zip(CIFAR10, pictures, strict=True)):
            path = f"train/{name}/{index}.jpg"
            archive.writestr(path, png(picture))
            (folder / path).parent.mkdir(parents=True)
            (folder / path).write_bytes(png(picture))
    batches.mkdir()
    table = {b"data": pictures.reshape(10, -1), b"labels": list(range(10))}
    (batches / "data_batch_1").write_bytes(pickle.dumps(table))
    for data in (tmp_path / "cifar10.zip", folder, batches):
        found = cifar10(data, "train")
        np.testing.assert_array_equal(found.pictures, pictures)
        np.testing.assert_array_equal(found.labels, range(10))
    with pytest.raises(ValueError, match="no test pictures"):
        cifar10(folder, "test")


def test_tiny_imagenet_gives_the_ten_their_names_and_the_rest_none(tmp_path):
    picture = drawn(1)[0]
    synsets = {SYNSETS["cat"][0]: CIFAR10.index("cat"), "n02123999": NONE}
    for synset in (*synsets, "n02129165"):  # a lion is neither
        path = tmp_path / "train" / synset / "1.JPEG"
        path.parent.mkdir(parents=True)
        path.write_bytes(png(picture))
    assert sorted(tiny_imagenet(tmp_path).labels) == sorted(synsets.values())


def test_augmented_pictures_stay_in_range_and_follow_their_generator():
    pictures = torch.from_numpy(drawn(16))
    one, same = (augmented(pictures, 64, 0.5, torch.Generator().manual_seed(3)) for _ in range(2))
    assert one.shape == (16, 3, 64, 64)
    assert one.min() >= -1
    assert one.max() <= 1
    assert torch.equal(one, same)
    assert not torch.equal(one, augmented(pictures, 64, 0.5, torch.Generator().manual_seed(4)))


def test_what_is_none_of_the_ten_is_asked_to_prefer_no_class():
    labels = torch.tensor([2, NONE])
    sure, unsure = torch.zeros(2, 10), torch.zeros(2, 10)
    sure[1, 4] = 9.0
    assert loss_of(sure, labels, Recipe()) > loss_of(unsure, labels, Recipe())
    alone = loss_of(unsure[:1], labels[:1], Recipe())
    torch.testing.assert_close(loss_of(unsure, labels, Recipe()) - alone, 0.5 * torch.tensor(10.0).log())


def test_teachers_are_asked_beside_the_labels_but_not_for_what_is_none_of_the_ten():
    labels, asked = torch.tensor([2, NONE]), torch.zeros(2, 10)
    asked[0, [2, 5]], asked[1, 7] = 0.5, 1.0
    logits = torch.randn(2, 10, generator=torch.Generator().manual_seed(0))
    recipe = Recipe(taught=0.25, foreign_weight=0.0, smoothing=0.0)
    told = logits.log_softmax(dim=1)[0]
    expected = -0.25 * (0.5 * told[2] + 0.5 * told[5]) - 0.75 * told[2]
    torch.testing.assert_close(loss_of(logits, labels, recipe, asked), expected)


def test_what_teachers_tell_is_the_mean_of_their_probabilities_each_at_its_size():
    one, two = create("fasternet_nano", "cifar10"), create("vip_nano", "cifar10")
    image = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    large = torch.nn.functional.interpolate(image, scale_factor=2.0, mode="nearest")
    told = taught([(one, 128), (two, 64)], large)
    with torch.no_grad():
        expected = (one(large).softmax(dim=1) + two(image).softmax(dim=1)) / 2
    torch.testing.assert_close(told, expected)


@pytest.mark.parametrize("shape", [(3, 16, 16), (2, 48, 16), (1, 16, 64)])
def test_singular_values_come_near_one(shape):
    made = orthogonal(torch.randn(shape, generator=torch.Generator().manual_seed(0)))
    values = torch.linalg.svdvals(made)
    assert made.shape == shape
    assert values.min() > 0.4
    assert values.max() < 1.3


def test_the_rate_warms_up_stays_and_falls_to_nothing():
    recipe = Recipe(epochs=10, pictures=128_000)
    assert recipe.rate(0) == pytest.approx(1 / 200)
    assert recipe.rate(recipe.steps // 2) == 1
    assert 0 < recipe.rate(recipe.steps - 1) < 0.001


@pytest.mark.parametrize("name", ["fasternet_nano", "s2mlpv2_nano"])
def test_training_that_was_interrupted_ends_where_it_would_have(tmp_path, name):
    own, test = (Photographs(drawn(20), np.arange(20) % 10) for _ in range(2))
    more = Photographs(drawn(12), np.array([3, NONE] * 6))
    whole = train(Training(name, TINY_RECIPE, tmp_path / "a"), own, more, test)
    first = Training(name, TINY_RECIPE, tmp_path / "b")
    for _ in range(TINY_RECIPE.per_epoch):
        first.advance([own, more.only(more.labels != NONE), more.only(more.labels == NONE)], [2, 1, 1], 64)
    first.keep(0.5, 1.0)
    again = train(Training(name, TINY_RECIPE, tmp_path / "b"), own, more, test)
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(again.state_dict()[key], value, rtol=0, atol=0)
    assert len((tmp_path / "b" / f"{name}.jsonl").read_text().splitlines()) == 2
    assert 0 <= accuracy(again, test, 64) <= 1


def test_the_weights_of_every_epoch_and_of_points_in_the_first_are_kept_where_it_is_asked(tmp_path):
    own = Photographs(drawn(20), np.arange(20) % 10)
    run = Training("fasternet_nano", TINY_RECIPE, tmp_path / "a", points=tmp_path / "points")
    begun = in_half(deepcopy(run.average).state_dict())  # counts are changed in place
    ended = train(run, own, None, own)
    kept = sorted(file.name for file in (tmp_path / "points").iterdir())
    assert kept == [f"epoch-{epoch}.safetensors" for epoch in ("00.00", "00.50", "01.00", "02.00")]
    for name, told in ((kept[0], begun), (kept[-1], in_half(ended.state_dict()))):
        for key, value in load_file(tmp_path / "points" / name).items():
            torch.testing.assert_close(value, told[key], rtol=0, atol=0)
    assert facts_of(tmp_path / "points" / kept[2]) == {"name": "fasternet_nano", "step": 2, "pictures": 8}


def test_weights_alone_are_enough_to_go_on_from(tmp_path):
    first = Training("fasternet_nano", TINY_RECIPE, tmp_path / "a")
    own = Photographs(drawn(20), np.arange(20) % 10)
    first.advance([own], [4], 64)
    first.keep_weights()
    second = Training("fasternet_nano", TINY_RECIPE, tmp_path / "a")
    assert second.step == 1
    for key, value in first.average.state_dict().items():
        torch.testing.assert_close(second.average.state_dict()[key], value, rtol=1e-3, atol=1e-4)


def test_training_begins_with_the_weights_of_a_file_and_says_so(tmp_path):
    pictures = Photographs(drawn(20), np.arange(20) % 10)
    write(
        train(Training("fasternet_nano", TINY_RECIPE, tmp_path), pictures, None, pictures),
        Training("fasternet_nano", TINY_RECIPE, tmp_path),
        pictures,
        tmp_path,
    )
    first = tmp_path / "fasternet_nano.cifar10.safetensors"
    second = Training("fasternet_nano", TINY_RECIPE, tmp_path / "again", begin=first)
    for key, value in load_file(first).items():
        torch.testing.assert_close(
            second.model.state_dict()[key], value.to(second.model.state_dict()[key].dtype), rtol=0, atol=0
        )
    write(second.average, second, pictures, tmp_path / "again")
    assert facts_of(tmp_path / "again" / first.name)["began_with"]["recipe"] == facts_of(first)["recipe"]


def test_halfway_is_the_mean_of_what_was_and_what_became(tmp_path):
    pictures = Photographs(drawn(20), np.arange(20) % 10)
    run = Training("fasternet_nano", TINY_RECIPE, tmp_path)
    write(run.average, run, pictures, tmp_path)
    begun = tmp_path / "fasternet_nano.cifar10.safetensors"
    other = with_ten_classes("fasternet_nano")
    mean = (load_file(begun)["head.weight"].float() + other.head.weight.detach()) / 2
    torch.testing.assert_close(met_halfway(other, begun).head.weight.detach(), mean)


def test_convolutions_are_told_apart_from_stem_head_and_those_of_one_channel():
    model = with_ten_classes("mobilevit_nano")
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for asked in (False, True):
        chosen = optimisers(model, Recipe(convolutions=asked))
        every = [names[id(one)] for o in chosen for group in o.param_groups for one in group["params"]]
        assert sorted(every) == sorted(names.values())
        muon = {names[id(one)] for one in chosen[-1].param_groups[0]["params"]}
        assert ("stages.4.0.conv1_1x1.conv.weight" in muon) is asked
        assert not {name for name in muon if name.startswith(("stem", "head")) or "conv2_kxk" in name}


def test_a_step_makes_a_convolution_move_as_its_matrix_does():
    random = torch.Generator().manual_seed(0)
    start, gradient = (torch.randn(6, 4, 3, 3, generator=random) for _ in range(2))
    kernel, matrix = (torch.nn.Parameter(one.clone()) for one in (start, start.flatten(1)))
    kernel.grad, matrix.grad = gradient.clone(), gradient.flatten(1)
    for one in (kernel, matrix):
        Muon([one], lr=0.1, weight_decay=0.01).step()
    torch.testing.assert_close(kernel.flatten(1), matrix)
    assert not torch.equal(kernel, start)


def test_another_batch_spans_as_many_pictures():
    twice, once = Recipe.of_batch(2 * Recipe.batch, epochs=3), Recipe(epochs=3)
    assert Recipe.of_batch(Recipe.batch, epochs=3) == once
    assert (twice.familiar, twice.foreign, twice.epochs) == (2 * once.familiar, 2 * once.foreign, 3)
    assert twice.rest**2 == pytest.approx(2 * once.rest**2)
    assert twice.average == pytest.approx(once.average**2)


def test_calibration_error_is_the_mean_distance_of_confidence_and_accuracy():
    """Four pictures told with 0.9, three of them rightly; two told with 0.6, both rightly."""
    sure, unsure = torch.tensor([0.9, 0.1]).log(), torch.tensor([0.6, 0.4]).log()
    logits = torch.stack([sure] * 4 + [unsure] * 2)
    labels = torch.tensor([0, 0, 0, 1, 0, 0])
    expected = (4 * abs(0.9 - 0.75) + 2 * abs(0.6 - 1)) / 6
    assert calibration_error(logits, labels) == pytest.approx(expected)


def test_the_temperature_undoes_logits_that_are_too_large():
    logits = torch.randn(4_000, 10, generator=torch.Generator().manual_seed(0))
    labels = torch.multinomial(logits.softmax(dim=1), 1, generator=torch.Generator().manual_seed(1))[:, 0]
    assert temperature_of(3 * logits, labels) == pytest.approx(3, rel=0.06)


def test_trained_weights_are_kept_calibrated_with_what_they_reach(tmp_path):
    """The file gives the logits that were measured, divided by the temperature it tells."""
    pictures = Photographs(drawn(20), np.arange(20) % 10)
    run = Training("fasternet_nano", TINY_RECIPE, tmp_path)
    halves = in_half(run.average.state_dict())
    run.average.load_state_dict(halves)
    before = logits_of(run.average, pictures, 64)
    write(run.average, run, pictures, tmp_path)
    facts = facts_of(tmp_path / "fasternet_nano.cifar10.safetensors")
    kept = with_ten_classes("fasternet_nano")
    kept.load_state_dict(load_file(tmp_path / "fasternet_nano.cifar10.safetensors"))
    after = logits_of(kept, pictures, 64)
    torch.testing.assert_close(after * facts["temperature"], before, atol=2e-3, rtol=2e-3)
    right = (before.argmax(dim=1).numpy() == pictures.labels).mean()
    assert facts["accuracy"] == pytest.approx(right)
    assert np.sum(facts["confusion"]) == 20
    assert f"{right:.2%}" in readme(tmp_path)
