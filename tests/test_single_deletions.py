"""IDSDS: a model that knows pictures with a hole is asked without each of 4 x 4 cells."""

import json

import numpy as np
import pytest
import torch

from explorer.attribution.benchmark import shipped as shipping
from explorer.attribution.benchmark.intervals import Interval
from explorer.attribution.benchmark.measure import Row, trials_of
from explorer.attribution.benchmark.pictures import Known
from explorer.attribution.benchmark.protocols import PROTOCOLS, Examined
from explorer.attribution.benchmark.results import digest_of
from explorer.attribution.benchmark.results import write as keep
from explorer.attribution.benchmark.single_deletions import falls_without, schedule_of, single_deletions
from explorer.errors import ChoiceError
from models import create
from models.deleted_cells import CELLS, numbers, some_deleted, without_cells
from models.preprocess import SCENES
from models.train import Schedule, train, write


def test_a_cell_is_a_sixteenth_and_goes_alone():
    images = torch.rand(3, 3, 16, 16)
    made = without_cells(images, torch.tensor([0, 6, -1]), -1.0)
    gone = (made == -1).all(dim=1)
    assert gone[0, :4, :4].all()
    assert gone[1, 4:8, 8:12].all()
    assert gone.sum(dim=(1, 2)).tolist() == [16, 16, 0]
    assert torch.equal(made[~gone[:, None].expand_as(made)], images[~gone[:, None].expand_as(images)])
    assert torch.equal(numbers(224, 224)[::56, ::56], torch.arange(16).view(4, 4))


def test_half_of_the_pictures_of_a_training_lack_one_cell_and_every_cell_is_drawn():
    images = torch.zeros(2_000, 1, 4, 4)
    gone = some_deleted(images, torch.Generator().manual_seed(0)) == -1
    assert set(gone.sum(dim=(1, 2, 3)).tolist()) == {0, 1}
    assert gone.any(dim=(1, 2, 3)).float().mean() == pytest.approx(0.5, abs=0.03)
    assert gone.float().mean(dim=0).min() > 0.5 / 16 * 0.6


class Sums(torch.nn.Module):
    """The logit adds the cells up, each by a weight of its own."""

    weights = torch.linspace(-1, 2, CELLS**2)

    def forward(self, image):
        cells = image.mean(dim=1).unflatten(1, (CELLS, -1)).unflatten(3, (CELLS, -1)).mean(dim=(2, 4))
        return torch.stack([torch.zeros(len(image)), cells.flatten(1) @ self.weights], dim=1)


@pytest.fixture
def known():
    return Known(torch.full((1, 3, 32, 32), 0.5), 1)


def test_the_truth_is_what_the_logit_loses_without_each_cell(known):
    falls = falls_without(Sums(), known.image, 1, SCENES)
    np.testing.assert_allclose(falls, Sums.weights.numpy() * 1.5, atol=1e-5)  # from grey to black


@pytest.mark.parametrize("side", [4, 8, 32])
def test_a_map_in_the_order_of_the_truth_scores_one_at_any_resolution(known, side):
    (trial,) = single_deletions(Sums(), SCENES, iter([known]), 5)
    true = np.kron(Sums.weights.numpy().reshape(CELLS, CELLS), np.ones((side // CELLS, side // CELLS)))
    assert trial.scored([true]) == pytest.approx(1)
    assert trial.scored([-true]) == pytest.approx(-1)
    assert trial.scored([np.ones((side, side))]) == 0


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A nano trained on a few pictures, half of which lack a cell, beginning with what ships."""
    schedule = Schedule(epochs=1, pictures=8, batch=4, deleted=True, half=False, peak=1e-6)
    path = tmp_path_factory.mktemp("deleted") / "fasternet_nano.safetensors"
    begin = shipping.ASSETS / "weights" / "fasternet_nano.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.train.confusion", lambda *_: torch.eye(12))  # 2,000 scenes take long
        write(train("fasternet_nano", schedule, begin), "fasternet_nano", schedule, path)
    return path


def test_a_training_begins_with_the_weights_it_is_given_and_its_file_says_what_it_saw(trained):
    assert schedule_of(str(trained))["deleted"]
    assert schedule_of("scenes") == schedule_of(str(trained.with_suffix(".pt"))) == {}
    ships, made = create("fasternet_nano", "scenes"), create("fasternet_nano", trained)
    assert digest_of(made) != digest_of(ships)
    for one, other in zip(made.parameters(), ships.parameters(), strict=True):
        assert torch.allclose(one, other, atol=2e-3)


def test_only_weights_that_know_holes_are_measured(explorer, trained):
    with pytest.raises(ChoiceError, match="never saw a picture that lacks a cell"):
        trials_of(Examined(explorer.load("fasternet_nano", "scenes"), 1), "idsds")
    (trial,) = trials_of(Examined(explorer.load("fasternet_nano", str(trained)), 1), "idsds")
    assert trial.questions[0].image.shape == (1, 3, 64, 64)
    assert PROTOCOLS["idsds"].least == -1


def test_what_ships_is_kept_where_it_was_not_measured_again_and_the_weights_are_the_same(
    tmp_path, monkeypatch
):
    def kept(protocol: str, method: str, value: float, weights: str = "scenes", checkpoint: str = "one"):
        about = {"protocol": protocol, "model": "m", "weights": weights, "source": "scenes", "method": method}
        row = Row(**about, found=Interval(value, value, value), pictures=6)
        return {**vars(row), "found": vars(row.found), "controls": {}, "checkpoint": checkpoint}

    monkeypatch.setattr(shipping, "PATH", tmp_path / "measured.json")
    (tmp_path / "measured.json").write_text('{"checkpoints": {}, "rows": []}')
    results = tmp_path / "results.json"

    def written(*rows) -> dict:
        keep(results, {str(number): row for number, row in enumerate(rows)})
        shipping.write(results)
        return json.loads((tmp_path / "measured.json").read_text())

    written(kept("planted", "a", 0.1), kept("planted", "b", 0.2))
    made = written(kept("planted", "a", 0.3), kept("idsds", "a", 0.4, "FOLDER/m.safetensors", "two"))
    values = {(row[0], row[3]): row[4][0] for row in made["rows"]}
    assert values == {("planted", "a"): 300, ("planted", "b"): 200, ("idsds", "a"): 400}
    assert made["checkpoints"] == {"m/scenes": "one", "m/deleted": "two"}
    other = written(kept("srg", "a", 0.5, checkpoint="three"))
    assert {(row[0], row[3]) for row in other["rows"]} == {("srg", "a"), ("idsds", "a")}
