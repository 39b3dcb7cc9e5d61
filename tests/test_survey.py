"""A survey tells of every picture what the library tells of it, once, whatever is in the way."""

import dataclasses
import io
import json
import pickle
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import torch
from PIL import Image

from explorer.capture import run
from explorer.command_line import main
from explorer.engine.limits import Limits
from explorer.errors import ExplorerError, PictureError
from explorer.explorer import Explorer
from explorer.reweighting.branch_weights import blends
from explorer.reweighting.gates import CLOSED, gates
from explorer.survey import (
    cluster,
    hub_data,
    measures,
    parts,
    passes,
    question,
    shards,
    sources,
    survey,
    units,
)
from explorer.survey.found import Rows, mean_shares
from explorer.survey.survey import Question
from models import card, scenes
from models.probe import Kind

ABOUT = {"model": "vip_nano", "weights": "scenes"}
PASS, COUNT = 4, 10


@pytest.fixture(scope="module")
def drawn():
    """PNG files by name, in the order a survey meets them; one in the middle is none."""
    found = {}
    for seed in range(COUNT):
        file = io.BytesIO()
        Image.fromarray(scenes.draw(seed, 64).picture).save(file, "PNG")
        found[f"{'ab'[seed // 5]}/{seed}.png"] = file.getvalue()
    return {**found, "a/3.png": b"no picture"}


@pytest.fixture(scope="module")
def folder(drawn, tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    for name, data in drawn.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(data)
    (root / ".hidden").write_bytes(b"")
    return root


@pytest.fixture(autouse=True, scope="module")
def few_at_once():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "PASS", PASS)
        patch.setattr(units, "PART", 1)
        yield


@pytest.fixture(scope="module")
def whole(explorer, folder, few_at_once, tmp_path_factory):
    """A survey of the folder: what it says of itself, and where it is."""
    out = tmp_path_factory.mktemp("whole")
    *_, last = survey.survey(explorer, Question(source=str(folder), **ABOUT), out)
    return last.told, out / survey.FILE


def test_each_row_is_what_the_library_says_of_the_picture(explorer, whole, drawn):
    told, place = whole
    rows = pyarrow.parquet.read_table(place).to_pylist()
    assert [row["name"] for row in rows] == [name for name in drawn if name != "a/3.png"]
    assert [row["index"] for row in rows] == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert [row["label"] for row in rows] == ["a"] * 4 + ["b"] * 5
    (refused,) = told["unreadable"]
    assert (refused["index"], refused["name"]) == (3, "a/3.png")
    assert refused["reason"].startswith("This file is not a picture that can be read;")
    assert (told["rows"], told["pictures"]) == (9, 10)
    for row in (rows[0], rows[-1]):
        file = drawn[row["name"]]
        about = "vip_nano", file, "scenes"
        expected, seen = explorer.predict(*about), explorer.inspect(*about)
        assert [told["labels"][index] for index in row["top_class"]] == [one.label for one in expected]
        np.testing.assert_allclose(row["top_probability"], [one.probability for one in expected], atol=1e-5)
        assert (row["digest"], row["width"], row["height"]) == (explorer.digest(file), 64, 64)
        for block in blends(seen):
            assert told["branches"][f"shares:{block.block}"] == list(block.branches)
            np.testing.assert_allclose(row[f"shares:{block.block}"], block.mean, atol=1e-5)
        familiar = explorer.familiarity(*about)
        assert row["foreignness"] == pytest.approx(familiar.score, rel=1e-3)
        assert row["familiar"] is familiar.is_familiar
        np.testing.assert_allclose(row["embedding"], seen.outputs()[-1].value[0].mean(dim=(0, 1)), atol=1e-4)


def test_the_file_is_the_same_whatever_batch_workers_stops_and_their_places(
    explorer, whole, folder, tmp_path
):
    asked = Question(source=str(folder), **ABOUT, batch=3, workers=2)
    stopped = survey.survey(explorer, asked, tmp_path)
    assert [next(stopped).done for _ in range(2)] == [0, PASS]
    stopped.close()
    (tmp_path / "parts" / ".partly-part-000000000004.parquet").write_bytes(b"killed while it was written")
    again = Question(source=str(folder), **ABOUT, batch=1, workers=0)
    first, *_, last = survey.survey(explorer, again, tmp_path, resume=True)
    assert (first.already, first.total, last.done) == (PASS, COUNT, COUNT)
    assert (tmp_path / survey.FILE).read_bytes() == whole[1].read_bytes()
    assert list((tmp_path / "parts").iterdir()) == []
    (once_more,) = survey.survey(explorer, again, tmp_path, resume=True)
    assert once_more.told["rows"] == COUNT - 1


def test_the_channels_least_and_most_open_are_those_of_all_pictures(explorer, whole, drawn):
    told, _ = whole
    openness = parts.read_about(whole[1])["openness"]
    runs = [explorer.inspect("vip_nano", file, "scenes") for name, file in drawn.items() if name != "a/3.png"]
    for number, block in enumerate(blends(runs[0])):
        values = np.stack([blends(seen)[number].values.ravel() for seen in runs])
        least, most = openness[f"shares:{block.block}"]
        np.testing.assert_allclose(least, values.min(axis=0), atol=1e-5)
        np.testing.assert_allclose(most, values.max(axis=0), atol=1e-5)
    assert set(openness) == set(told["branches"])


def test_of_any_model_a_batch_tells_what_single_pictures_do(model):
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    together = measures.measured(model, images, 5, None).columns
    for number in range(3):
        seen = run(model, images[number : number + 1])
        for gate in gates(seen):
            size, closed = together[f"open:{gate.name}"], together[f"closed:{gate.name}"]
            assert size[number] == pytest.approx(gate.size.mean(), abs=1e-5)
            assert closed[number] == pytest.approx((gate.size < CLOSED).mean(), abs=1e-5)
        for block in blends(seen):
            np.testing.assert_allclose(together[f"shares:{block.block}"][number], block.mean, atol=1e-5)
        for layer in seen.outputs():
            mean, spread, zeros = together[f"features:{layer.name}"][number]
            values = layer.value.double().numpy()
            assert (mean, spread) == pytest.approx((values.mean(), values.std()), abs=1e-4)
            assert zeros == pytest.approx((values == 0).mean(), abs=1e-6)


def test_statistics_of_maps_keep_their_digits():
    values = np.random.default_rng(0).normal(0, 1, (6, 8, 8, 16)).astype(np.float32)
    values[1] = values[1].clip(0)  # as after a ReLU
    values[2] += 1_000  # mean square and squared mean cancel
    values[3], values[4], values[5] = 0.1, -0.0, np.nan
    mean, spread, zeros = measures.statistics(torch.from_numpy(values)).T
    exact = values.astype(np.float64).reshape(6, -1)
    np.testing.assert_allclose(mean, exact.mean(axis=1), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(spread, exact.std(axis=1), rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(zeros, (exact == 0).mean(axis=1).astype(np.float32))


def test_what_is_heard_while_a_pass_runs_is_what_a_run_keeps(explorer):
    loaded = explorer.load("vip_nano", "scenes")
    image = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    logits, heard = measures.heard(loaded.model, image)
    seen = run(loaded.model, image)
    assert torch.equal(logits, seen.logits)
    assert list(heard.maps) == [layer.name for layer in seen.outputs()]
    for layer in seen.outputs():
        np.testing.assert_array_equal(heard.maps[layer.name], measures.statistics(layer.value))
    assert torch.equal(heard.last, seen.outputs()[-1].value)
    for weights in seen.of(Kind.BRANCH_WEIGHTS):
        np.testing.assert_array_equal(heard.blends[weights.block][1], weights.value.numpy())


def test_chosen_methods_are_scored_beside_their_controls(explorer, drawn, tmp_path):
    listed = tmp_path / "pictures.txt"
    (tmp_path / "0.png").write_bytes(drawn["a/0.png"])
    listed.write_text("0.png\tsquare\n\n")
    asked = Question(source=str(listed), **ABOUT, methods=("saliency",))
    *_, last = survey.survey(explorer, asked, tmp_path / "out")
    with pytest.raises(ExplorerError, match="There is no method 'gradcam'; there are "):
        list(survey.survey(explorer, Question(source=str(listed), **ABOUT, methods=("gradcam",)), tmp_path))
    (row,) = pyarrow.parquet.read_table(tmp_path / "out" / survey.FILE).to_pylist()
    cards = explorer.score_card("vip_nano", drawn["a/0.png"], "scenes", method="saliency")
    card = next(card for card in cards if len(card.curves) == 3)
    expected = [card.curves[name].score for name in ("saliency", "random", "edges")]
    np.testing.assert_allclose(row["scores:saliency"], expected, atol=1e-5)
    assert (row["label"], last.told["methods"]) == ("square", ["saliency"])


def test_units_done_in_any_order_and_gone_on_with_make_the_same_file(explorer, whole, folder, tmp_path):
    _, place = whole
    asked = Question(source=str(folder), **ABOUT)
    loaded = explorer.load(*ABOUT.values()).apart
    question.agreed(tmp_path, question.question_of(asked, loaded), resume=False)
    cut = list(survey.still_to_do(asked.source, [], COUNT, actors=2))
    assert [(unit.start, unit.stop) for unit in cut] == [(0, 4), (4, 8), (8, 10)]
    middle = pickle.loads(pickle.dumps(cut[1]))
    parts.write_part(tmp_path, middle.start, passes.of_unit(explorer, asked, loaded, middle))
    there = [about for _, about in parts.parts(tmp_path)]
    left = survey.still_to_do(asked.source, there, COUNT, actors=2)
    assert [(unit.start, unit.stop) for unit in left] == [(0, 4), (8, 10)]
    first, *_, last = survey.survey(explorer, asked, tmp_path, resume=True)
    assert (first.done, first.already, last.done) == (4, 4, 10)
    assert (tmp_path / survey.FILE).read_bytes() == place.read_bytes()


def test_an_actor_tells_of_a_unit_or_why_not(whole, folder):
    told, place = whole
    asked = Question(source=str(folder), **ABOUT)
    (unit, *_) = survey.still_to_do(asked.source, [], COUNT, actors=1)
    batch = {"unit": [pickle.dumps(unit)]}
    answer = cluster.Surveyor(asked, told["weights_sha256"])(batch)
    (part,) = answer["part"]
    assert (answer["refusal"], answer["start"], answer["count"]) == ([""], [0], [PASS])
    expected = pyarrow.parquet.read_table(place).to_pylist()[: PASS - 1]  # one is no picture
    assert pyarrow.parquet.read_table(io.BytesIO(part)).to_pylist() == expected
    (refusal,) = cluster.Surveyor(asked, "another")(batch)["refusal"]
    assert refusal == "A machine of the cluster has other weights called scenes."
    nowhere = cluster.Surveyor(dataclasses.replace(asked, weights="/nowhere.pt"), "")
    assert nowhere(batch)["refusal"][0].startswith("There is no file")
    assert nowhere({"unit": [pickle.dumps("The source has changed.")]})["refusal"] == [
        "The source has changed."
    ]


def test_without_ray_or_datasets_a_survey_with_them_says_what_to_install(
    explorer, folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(cluster, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    with pytest.raises(ExplorerError, match=r"pip install -r requirements-ray\.txt"):
        list(survey.survey(explorer, Question(source=str(folder), **ABOUT, ray="local"), tmp_path))
    monkeypatch.setattr(hub_data, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    with pytest.raises(ExplorerError, match=r"pip install -r requirements-datasets\.txt"):
        list(survey.survey(explorer, Question(source="hf:a/b", **ABOUT), tmp_path / "named"))


def packed(drawn, place, make):
    """The same files, and what is beside pictures, in one file."""
    with make(place) as add:
        for name, data in {".DS_Store": b"x", **drawn}.items():
            add(name, data)
    return str(place)


class Zip(zipfile.ZipFile):
    def __init__(self, place):
        super().__init__(place, "w")

    def __enter__(self):
        return self.writestr


class Tar(tarfile.TarFile):
    def __init__(self, place):
        super().__init__(place, "w")

    def __enter__(self):
        return self.add_bytes

    def add_bytes(self, name, data):
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        self.addfile(entry, io.BytesIO(data))


def met(source) -> list[tuple]:
    return [(item.name, item.label, item.read()) for item in sources.items(source)]


def test_a_zip_a_list_and_shards_hold_the_same_pictures_as_a_folder(drawn, folder, tmp_path):
    expected = [(name, name[0], data) for name, data in drawn.items()]
    assert met(str(folder)) == expected
    assert met(packed(drawn, tmp_path / "all.zip", Zip)) == expected
    handed_on = pickle.loads(pickle.dumps(list(sources.items(str(tmp_path / "all.zip")))))
    assert [(item.name, item.label, item.read()) for item in handed_on] == expected
    listed = tmp_path / "all.tsv"
    listed.write_text("".join(f"{folder / name}\t{name[0]}\n" for name in drawn))
    assert [one[1:] for one in met(str(listed))] == [one[1:] for one in expected]
    for number, kind in enumerate("ab"):
        some = {name: data for name, data in drawn.items() if name[0] == kind}
        packed({**some, f"{kind}/9.cls": b"nine\n", "link": b""}, tmp_path / f"s-{number:02}.tar", Tar)
    for pattern in ("s-{00..01}.tar", "s-*.tar"):
        found = met(str(tmp_path / pattern))
        assert [(name.partition("/")[2], data) for name, _, data in found] == [one[::2] for one in expected]
        assert [label for _, label, _ in found] == ["a"] * 5 + ["b"] * 4 + ["nine"]


def test_what_cannot_be_had_stands_in_its_place_and_stops_nothing(drawn, tmp_path, monkeypatch):
    place = tmp_path / "damaged.zip"
    packed({name: drawn[name] for name in ("a/0.png", "a/1.png", "a/2.png")}, place, Zip)
    data = place.read_bytes()
    place.write_bytes(data.replace(drawn["a/1.png"][-40:], b"x" * 40))
    first, second, third = sources.items(str(place))
    with pytest.raises(PictureError, match="damaged, encrypted or packed"):
        second.read()
    assert (first.read(), third.read()) == (drawn["a/0.png"], drawn["a/2.png"])
    monkeypatch.setattr(sources, "MOST_BYTES", 20)
    with pytest.raises(PictureError, match="longer than"):
        first.read()
    monkeypatch.undo()
    tar = tmp_path / "cut-0.tar"
    packed(drawn, tar, Tar)
    tar.write_bytes(tar.read_bytes()[: -len(drawn["b/9.png"]) - 12_000])
    *_, last = sources.items(str(tmp_path / "cut-{0..1}.tar"))
    with pytest.raises(PictureError, match=r"This shard is damaged, cut short or not there"):
        last.read()
    assert last.name == "cut-1.tar"
    with pytest.raises(PictureError, match=r"cut short"):
        [item.read() for item in shards.in_shard(tar)]


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "http://10.0.0.1/a.png",
        "hf://datasets/another/set@main/a.png",
        "hf://datasets/a/b@x/../c",
    ],
)
def test_a_row_cannot_name_a_file_of_somebody_else(path):
    with pytest.raises(PictureError, match="outside of its data set"):
        hub_data.picture_in({"bytes": None, "path": path}, "a/b")


def test_names_of_any_bytes_can_be_written_down():
    found = parts.table({"name": [sources.plain("\udcff.png")], "label": [None]})
    assert found.to_pylist() == [{"name": "?.png", "label": None}]


@pytest.mark.parametrize(
    ("source", "before", "resume", "sentence"),
    [
        ("/nowhere", None, False, "/nowhere is nothing a survey can go over; give a folder, a zip"),
        ("/nowhere-{0..1}.tar", None, False, "There is no shard /nowhere"),
        ("{folder}", {}, False, "holds a survey already: go on with --resume"),
        ("{folder}", {"model": "another"}, True, "holds a survey of something else"),
        ("{above}", None, False, "lies inside of"),
    ],
)
def test_what_cannot_be_gone_over_is_refused(explorer, folder, tmp_path, source, before, resume, sentence):
    out = tmp_path / "out"
    asked = Question(
        source=source.replace("{folder}", str(folder)).replace("{above}", str(tmp_path)), **ABOUT
    )
    if before is not None:
        out.mkdir()
        (out / question.FILE).write_text(json.dumps(before))
    with pytest.raises(ExplorerError, match=sentence):
        list(survey.survey(explorer, asked, out, resume=resume))


def test_a_source_that_is_empty_or_changed_and_a_missing_package_are_told(
    explorer, drawn, tmp_path, monkeypatch
):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    asked = Question(source=str(source), **ABOUT)
    with pytest.raises(ExplorerError, match="holds no pictures"):
        list(survey.survey(explorer, asked, out))
    for number in range(PASS + 1):
        (source / f"{number}.png").write_bytes(b"none")
    stopped = survey.survey(explorer, asked, out, resume=True)
    assert [next(stopped).done for _ in range(2)] == [0, PASS]
    stopped.close()
    (source / "0.png").rename(source / "00.png")
    with pytest.raises(ExplorerError, match="The source has changed"):
        list(survey.survey(explorer, asked, out, resume=True))
    monkeypatch.setattr(parts, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    with pytest.raises(ExplorerError, match=r"pip install -r requirements-survey\.txt"):
        list(survey.survey(explorer, asked, out, resume=True))


def test_the_command_tells_programs_what_was_found(folder, tmp_path, capsys):
    words = ["survey", str(folder), "--weights", "scenes", "--device", "cpu", "--json", "--out"]
    assert main([*words, str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told["rows"], [one["name"] for one in told["unreadable"]]) == (9, ["a/3.png"])
    assert pyarrow.parquet.read_metadata(told["parquet"]).num_rows == 9
    assert "picture/s" in err
    assert main([*words, str(tmp_path / "out")]) == 2
    assert "go on with --resume" in capsys.readouterr().err


def test_a_file_with_as_many_classes_as_listed_weights_is_looked_at_as_these_are(explorer, tmp_path):
    file = tmp_path / "epoch-01.00.safetensors"
    shutil.copy(card("vip_nano").weights["cifar10"].source.fetch(), file)
    listed, found = (explorer.load("vip_nano", weights) for weights in ("cifar10", str(file)))
    assert (found.labels, found.preprocess) == (listed.labels, listed.preprocess)
    assert question.digest_of(found.model) == question.digest_of(listed.model)
    strangers = Explorer(
        device="cpu", limits=Limits(hosted=True)
    )  # who learn nothing of files of this machine
    assert strangers.labels("vip_nano", str(file)) == explorer.labels("vip_nano", "scenes")


def test_shares_are_drawn_over_checkpoints_in_the_order_of_their_numbers(folder, tmp_path, capsys):
    weights = card("vip_nano").weights["scenes"].source.fetch()
    files = [tmp_path / f"epoch-{number}.safetensors" for number in (10, 2)]
    for file in files:
        shutil.copyfile(weights, file)
    words = ["survey", str(folder), "--device", "cpu", "--json", "--out", str(tmp_path / "out")]
    assert main([*words, "--checkpoints", *map(str, files)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["parquet"].split("/")[-2] for one in told["surveys"]] == ["epoch-2", "epoch-10"]
    with Image.open(told["figure"]) as drawn:
        assert drawn.width > 300
    first, second = (mean_shares(Rows.read(Path(one["parquet"]))) for one in told["surveys"])
    assert first == second
    assert sum(first["stages.0.blocks.0.token_mixing"].values()) == pytest.approx(1)
    assert main([*words, "--weights", "scenes", "--checkpoints", str(files[0])]) == 2
    assert "take the place of --weights" in capsys.readouterr().err
