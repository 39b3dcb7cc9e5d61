"""The benchmark measures what it says: grids, cells, controls, intervals, and when something was found."""

import json

import numpy as np
import pytest
import torch

from explorer.attribution.benchmark import results
from explorer.attribution.benchmark.controls import CONTROLS, WIDTH, control
from explorer.attribution.benchmark.grids import SIDE, Disconnected, grid_of, grids, share_inside
from explorer.attribution.benchmark.intervals import Interval, bootstrap
from explorer.attribution.benchmark.measure import Row, trials_of
from explorer.attribution.benchmark.pictures import Known, sure_of
from explorer.attribution.benchmark.planted import sure_stages
from explorer.attribution.benchmark.protocols import Examined
from explorer.attribution.benchmark.results import digest_of, measured
from explorer.attribution.methods.case import wanting
from explorer.attribution.options import Options
from explorer.capture import hooked
from explorer.command_line import main
from explorer.errors import ChoiceError
from tests.tiny import IMAGE_SIDE, TINY

CELLS = SIDE**2


def noisy(target: int, seed: int) -> Known:
    dice = torch.Generator().manual_seed(seed)
    return Known(torch.randn(1, 3, IMAGE_SIDE, IMAGE_SIDE, generator=dice), target)


@pytest.fixture
def grid():
    return grid_of([noisy(target, target) for target in range(CELLS)], cell=2)


@pytest.mark.parametrize("family", TINY)
def test_disconnected_cells_give_the_logits_of_their_pictures_and_no_other_cell_has_a_say(family, grid):
    network = TINY[family]().eval()
    apart = Disconnected(network)
    logits = apart(grid.image)[0].unflatten(0, (CELLS, -1))
    for cell in range(CELLS):
        with torch.no_grad():
            alone = network(noisy(cell, cell).image)[0]
        assert torch.allclose(logits[cell], alone, atol=1e-5)
    image = wanting(grid.image)
    asked = apart(image)[0].unflatten(0, (CELLS, -1))[grid.cell, 1]
    (slope,) = torch.autograd.grad(asked, image)
    outside = slope[0].abs().sum(dim=0).numpy()[~grid.inside]
    assert slope.abs().sum() > 0
    assert (outside == 0).all()


def test_the_map_of_a_disconnected_grid_is_that_of_all_cells_side_by_side(grid):
    network = TINY["FasterNet"]().eval()
    apart, seen = Disconnected(network), {}

    def keep(_probe, _args, value):
        seen["map"] = value

    with torch.no_grad(), hooked({apart.whole: keep}):
        apart(grid.image)
        whole = seen["map"]
        with hooked({network.stages[-1].output: keep}):
            network(noisy(3, 3).image)
    rows, columns = whole.shape[1] // 2, whole.shape[2] // 2
    assert torch.allclose(whole[0, rows:, columns:], seen["map"][0].permute(1, 2, 0), atol=1e-5)


def test_grids_hold_different_classes_use_a_picture_once_and_ask_about_every_cell():
    pictures = [noisy(target % 5, target) for target in range(30)]
    found = grids(iter(pictures), 5)
    assert [one.cell for one in found] == [0, 1, 2, 3, 0]
    assert all(len(set(one.targets)) == CELLS for one in found)
    corners = [
        one.image[0, 0, row, column].item()
        for one in found
        for row in (0, IMAGE_SIDE)
        for column in (0, IMAGE_SIDE)
    ]
    assert len(set(corners)) == 5 * CELLS
    assert len(grids(iter(pictures[:7]), 5)) == 1


def test_the_share_in_the_right_cell_is_of_positive_values_alone(grid):
    values = np.array([[1.0, -5.0], [3.0, 0.0]])
    assert share_inside([values], grid.inside) == pytest.approx(3 / 4)
    assert share_inside([-np.ones((2, 2))], grid.inside) == 0


def test_only_pictures_the_model_is_sure_of_are_taken():
    class Always(torch.nn.Module):
        def forward(self, image):
            return torch.tensor([[8.0, 0.0, 0.0]]).expand(len(image), -1)

    assert [known.target for known in sure_of(Always(), iter([noisy(1, 0), noisy(0, 1), noisy(2, 2)]))] == [0]


def test_controls_are_what_they_are_called_at_any_resolution():
    image = torch.zeros(1, 3, 16, 16)
    image[:, 0, :4, 12:] = 3.0
    assert control("centre", image, (16, 16))[0, 8] == pytest.approx(
        np.exp(-0.5 * ((0.5**2 + (0.5 / 15) ** 2) / WIDTH**2)), rel=1e-5
    )
    assert control("colour_distance", image, (4, 4)).tolist() == [[0, 0, 0, 3], *[[0] * 4] * 3]
    assert control("edges", image, (4, 4))[3].max() == 0
    assert control("edges", image, (4, 4))[0, 3] > 0
    assert not np.array_equal(*(control("random", image, (4, 4), seed) for seed in (0, 1)))
    assert all(control(name, image, (2, 3)).shape == (2, 3) for name in CONTROLS)


def test_intervals_are_as_wide_as_the_mean_is_unsure():
    values = np.random.default_rng(0).normal(0.5, 0.1, 400)
    found = bootstrap(values)
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    same = bootstrap([0.3] * 5)
    assert (same.low, same.value, same.high) == pytest.approx((0.3, 0.3, 0.3))
    with pytest.raises(ValueError, match="no mean"):
        bootstrap([])


def test_a_method_has_found_something_only_where_it_clears_every_control():
    about = {"protocol": "difull", "model": "m", "weights": "w", "source": "scenes", "method": "saliency"}
    low, middle, high = Interval(0.2, 0.1, 0.3), Interval(0.5, 0.4, 0.6), Interval(0.5, 0.45, 0.55)
    assert Row(**about, found=middle, controls={"edges": low, "random": low}).clears
    assert not Row(**about, found=middle, controls={"edges": low, "random": high}).clears
    assert not Row(**about, reason="No ReLU in this model.").clears


def test_what_was_measured_is_kept_and_not_made_again(tmp_path, monkeypatch, explorer):
    path = tmp_path / "kept.json"
    examined = Examined(explorer.load("fasternet_nano", "scenes"), 2)
    methods, options = ["edges", "saliency", "guided_backprop"], Options()
    first = list(measured(examined, "by_hand", methods, options, path=path))
    kept = json.loads(path.read_text())
    assert torch.__version__.startswith(kept["versions"]["torch"])  # a build may add its own letters
    assert {row["checkpoint"] for row in kept["rows"]} == {digest_of(examined.loaded.model)}
    asked = []
    monkeypatch.setattr(results, "rows", lambda *question: asked.append(question[2]) or iter(first))
    assert list(measured(examined, "by_hand", methods, options, path=path)) == first
    assert asked == []
    list(measured(examined, "by_hand", methods[:1], Options(seed=1), path=path))
    assert asked == [["edges"]]
    path.write_text("{}")
    with pytest.raises(ChoiceError, match="holds no results"):
        list(measured(examined, "by_hand", methods, options, path=path))


def brightness(_model, image, _target):
    """A method of somebody else."""
    return image[0].mean(dim=0)


def flat(_model, image, _target):
    return image[0, 0, 0]


def test_a_method_of_others_is_measured_the_same_way(capsys):
    words = ("--protocol", "by_hand", "--model", "fasternet_nano", "--pictures", "3")
    (found,) = said(capsys, *words, "--methods", "tests.test_benchmark:brightness")
    assert found["method"] == "tests.test_benchmark:brightness"
    assert 0 < found["value"] < 0.5
    assert set(found["controls"]) == set(CONTROLS)
    assert main(["benchmark", *words, "--methods", "tests.test_benchmark:flat"]) == 2
    assert "a map has two axes" in capsys.readouterr().err
    assert main(["benchmark", *words, "--methods", "tests.test_benchmark:nothing"]) == 2
    assert "is no method" in capsys.readouterr().err


def test_a_map_of_a_planted_cause_is_held_against_the_object(explorer):
    examined = Examined(explorer.load("vip_nano", "scenes"), 3)
    trials = trials_of(examined, "planted")
    for trial, (_, known) in zip(
        trials, sure_stages(examined.loaded.model, examined.loaded.preprocess, 3), strict=True
    ):
        assert trial.scored([known.mask.astype(float)]) == 1
        assert trial.scored([1 - known.mask.astype(float)]) < 0.2


def said(capsys, *words: str) -> list[dict]:
    capsys.readouterr()
    assert main(["benchmark", *words, "--device", "cpu", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_published_order_comes_out_again_where_cells_are_disconnected(capsys):
    """Rao et al. (2022), fig. 4: backpropagation and Layer-CAM near perfect in DiFull, Grad-CAM not."""
    methods = "input_x_gradient,layer_cam,grad_cam,attention_rollout,edges"
    found = said(capsys, "--model", "fasternet_nano", "--methods", methods, "--pictures", "8")
    by_method = {row["method"]: row for row in found}
    assert list(by_method) == methods.split(",")
    for name in ("input_x_gradient", "layer_cam"):
        assert by_method[name]["value"] == pytest.approx(1)
        assert by_method[name]["clears"]
    assert 0.3 < by_method["grad_cam"]["value"] < 0.95
    assert 0.1 < by_method["edges"]["value"] < 0.4
    assert not by_method["edges"]["clears"]
    assert by_method["attention_rollout"]["value"] is None
    assert by_method["attention_rollout"]["reason"] == "Attention rollout knows nothing of the class."


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--protocol", "gridpg", "--model", "mixer_nano"), "it cannot see a grid whole"),
        (("--model", "mixer_nano", "--pictures", "many"), "takes how many, or a folder"),
        (("--model", "mixer_nano", "--methods", "guess"), "no method 'guess'"),
        (("--model", "mixer_nano", "--weights", "cifar10"), "was not trained on scenes"),
        (("--protocol", "planted", "--weights", "cifar10"), "Causes are known for scenes"),
        (("--protocol", "by_hand", "--model", "s2mlp_nano"), "No S2-MLP was written by hand"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_refused_with_a_sentence(words, sentence, capsys):
    assert main(["benchmark", *words, "--device", "cpu"]) == 2
    assert sentence in capsys.readouterr().err


def test_photographs_of_a_folder_are_measured_by_the_class_the_model_sees(capsys, tmp_path, star):
    star.save(tmp_path / "star.png")
    (tmp_path / "note.png").write_text("no picture")
    words = ("--model", "vip_nano", "--weights", "scenes", "--pictures", str(tmp_path), "3")
    assert main(["benchmark", *words, "--methods", "edges", "--device", "cpu"]) == 2
    assert "not sure of enough pictures" in capsys.readouterr().err  # four are needed for a grid
