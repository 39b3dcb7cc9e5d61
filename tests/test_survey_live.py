"""A survey in memory says what one on the disk does; what is uploaded is trusted in nothing."""

import io
import json
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from explorer.errors import ChoiceError
from explorer.report.recipe import digest_of
from explorer.survey import opening, survey
from explorer.survey.found import Rows, by_class
from explorer.survey.intervals import intervals
from explorer.survey.live import live
from explorer.survey.opening import RefusedError
from explorer.survey.parts import ABOUT, packed, read_about
from explorer.survey.question import Question
from explorer.survey.scenes import scene
from explorer.survey.sent import opened
from explorer.survey.shipped import FOLDER, SETS, path_of, shipped
from explorer.survey.sources import items
from explorer.survey.written import parquet_of
from explorer.ui.saved_facts import plain
from explorer.ui.tabs.survey import plots
from explorer.ui.tabs.survey.source import Held, items_of
from models import list_models

ABOUT_IT = {"model": "vip_nano", "weights": "scenes"}
COUNT = 8


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A zip of eight scenes, a file that is no picture among them."""
    place = tmp_path_factory.mktemp("zip") / "pictures.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for index in range(COUNT):
            archive.writestr(f"{'ab'[index % 2]}/{index}.png", scene(index)[1])
        archive.writestr("a/notes.txt", "no picture")
    return place


@pytest.fixture(scope="module")
def rows(explorer, pictures):
    question = Question(source=str(pictures), **ABOUT_IT)
    *_, last = live(explorer, question, list(items(str(pictures))), small=True)
    assert last.done == last.total == COUNT + 1
    assert len(last.small) == COUNT
    return last.rows


def test_what_comes_live_is_what_the_command_writes(explorer, pictures, rows, tmp_path):
    *_, last = survey.survey(explorer, Question(source=str(pictures), **ABOUT_IT), tmp_path)
    written = Rows.read(tmp_path / survey.FILE)
    assert list(rows.columns) == list(written.columns)
    for name, values in written.columns.items():
        np.testing.assert_array_equal(rows.columns[name], values, err_msg=name)
    about = {name: value for name, value in rows.about.items() if name != "openness"}
    assert about == {name: last.told[name] for name in about}
    for name, values in last.told["openness"].items():
        np.testing.assert_array_equal(rows.about["openness"][name], values)


def test_a_survey_that_was_saved_is_opened_with_the_same_numbers(rows, tmp_path):
    place = tmp_path / "saved.parquet"
    place.write_bytes(parquet_of(rows))
    again = opened(place)
    for name in again.columns:
        np.testing.assert_array_equal(again.columns[name], rows.columns[name], err_msg=name)
    assert {"name", "label", "embedding", "foreignness"} < set(again.columns)
    assert by_class(again)[1][0].compared.means.tolist() == by_class(rows)[1][0].compared.means.tolist()


def changed(rows: Rows, about: dict | None = None, **columns) -> pa.Table:
    """The file of a survey, some of it replaced; None leaves a column out."""
    table = parquet.read_table(io.BytesIO(parquet_of(rows)))
    metadata = {**json.loads(table.schema.metadata[ABOUT]), **(about or {})}
    for name, values in columns.items():
        at = table.column_names.index(name)
        table = table.remove_column(at)
        table = table if values is None else table.add_column(at, name, values)
    return table.replace_schema_metadata({ABOUT: json.dumps(metadata)})


def lists(values, kind):
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ravel(values), kind), len(values[0]))


HOSTILE = {
    "the column label is missing": {"label": None},
    "the column name is of another kind": {"name": pa.array(range(COUNT))},
    "the column index has gaps": {"index": pa.array([None, *range(1, COUNT)], pa.int64())},
    "what the model says is not whole": {"top_class": None},
    "it names classes there are not": {"top_class": lists(np.full((COUNT, 5), 12), pa.int32())},
    "has values that are no numbers": {
        "foreignness": pa.array([np.nan] * COUNT, pa.float32()),
    },
    "what it says of itself is not whole": {"about": {"labels": 7}},
    "are not named": {"about": {"branches": {}}},
    "its channels do not go with its branches": {"about": {"openness": packed({"open:x": np.zeros(3)})}},
}


@pytest.mark.parametrize("sentence", HOSTILE)
def test_a_survey_that_was_changed_by_hand_is_refused_in_a_sentence(rows, tmp_path, sentence):
    place = tmp_path / "changed.parquet"
    parquet.write_table(changed(rows, **HOSTILE[sentence]), place)
    with pytest.raises(RefusedError, match=sentence):
        opening.opened(place)


def test_what_is_no_survey_or_would_fill_memory_is_refused_by_a_process_of_its_own(rows, tmp_path):
    wrong, bomb = tmp_path / "wrong.parquet", tmp_path / "bomb.parquet"
    parquet.write_table(pa.table({"a": [1]}), wrong)
    with pytest.raises(ChoiceError, match="no survey of Mixscope"):
        opened(wrong)
    name = pa.array(["x" * 4_000_000])  # 8 GB once each of 2,000 rows has its own
    names = pa.DictionaryArray.from_arrays(pa.array([0] * 2_000, pa.int32()), name)
    table = pa.concat_tables([changed(rows)] * (len(names) // COUNT))
    table = table.set_column(table.column_names.index("name"), "name", names)
    plain = io.BytesIO(parquet_of(rows))  # says that names are plain texts, so that each is written out
    with parquet.ParquetWriter(bomb, table.schema, store_schema=False, compression="zstd") as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(parquet.read_metadata(plain).metadata)
    assert bomb.stat().st_size < 1_000_000
    with pytest.raises(ChoiceError, match=r"too large|damaged"):
        opened(bomb)


def test_a_saved_file_tells_neither_the_name_of_a_survey_nor_where_its_pictures_lie():
    held = Held.new("8 pictures of your own", ("/tmp/uploads/pictures.zip",))
    assert plain({"held": held}) == {"held": "8 pictures of your own"}


def test_uploads_are_counted_before_anything_is_decoded(tmp_path, pictures):
    assert [item.label for item in items_of((str(pictures),), 9)] == ["a"] * 5 + ["b"] * 4
    with pytest.raises(ChoiceError, match="These are 9 files; here at most 8"):
        items_of((str(pictures),), 8)
    with pytest.raises(ChoiceError, match="no picture in this"):
        items_of((), 8)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.png", "w") as entry:
        for _ in range(201):
            entry.write(bytes(1_000_000))
    assert bomb.stat().st_size < 1_000_000
    with pytest.raises(ChoiceError, match=r"bomb\.zip unpacks to 201 MB; here at most 200 MB"):
        items_of((str(bomb),), 8)
    broken = tmp_path / "broken.zip"
    broken.write_bytes(pictures.read_bytes()[:100])
    with pytest.raises(ChoiceError, match="damaged or cut short"):
        items_of((str(broken),), 8)


def test_columns_compared_together_are_compared_as_each_alone(rows):
    _, together = by_class(rows)
    for one in together:
        alone = Rows(rows.about, {name: rows.columns[name] for name in ("name", "label", one.column)})
        (expected,) = by_class(alone)[1]
        np.testing.assert_allclose(one.compared.means, expected.compared.means)
        np.testing.assert_array_equal([one.low, one.high], [expected.low, expected.high])
        assert one.compared.probability == expected.compared.probability
        assert one.compared.explained == pytest.approx(expected.compared.explained)


def test_an_interval_is_that_of_resampled_means():
    values, labels = np.random.default_rng(1).normal(size=(40, 2)), np.array(["a", "b"] * 20)
    ((low, high),) = intervals([values], labels, seed=0, resampled=4_000)
    for kind, own in enumerate((values[::2], values[1::2])):
        error = own.std(axis=0) / len(own) ** 0.5
        np.testing.assert_allclose(low[kind], own.mean(axis=0) - 1.96 * error, atol=0.05)
        np.testing.assert_allclose(high[kind], own.mean(axis=0) + 1.96 * error, atol=0.05)


def test_a_dot_that_is_pressed_is_the_picture_whose_numbers_it_shows(rows):
    plane = plots.scatter(rows, *by_class(rows))
    (_, across), (_, down) = plots.two_numbers(rows, by_class(rows)[1])
    left, right, foot, top = plane.ends
    for row in range(COUNT):
        share = plots.EDGE + (1 - 2 * plots.EDGE) * (across[row] - left) / (right - left)
        above = 1 - plots.EDGE - (1 - 2 * plots.EDGE) * (down[row] - foot) / (top - foot)
        assert plane.nearest(above, share) == row


@pytest.mark.parametrize("name", [one for one in list_models(bundled=True) if one.endswith("_nano")])
@pytest.mark.parametrize("weights", SETS)
def test_surveys_that_come_along_are_of_the_weights_that_do_and_of_all_their_pictures(
    explorer, name, weights
):
    told = read_about(path_of(name, weights))
    assert told["weights_sha256"] == digest_of(explorer.load(name, weights).model)
    assert told["rows"] == int(SETS[weights].partition(" ")[0].replace(",", ""))
    assert told["unreadable"] == []


def test_they_are_small_and_say_what_the_model_says_of_the_same_picture(explorer):
    assert sum(place.stat().st_size for place in FOLDER.iterdir()) < 3_000_000
    found = shipped("vip_nano", "scenes")
    for row in (0, 1_999):
        name, data = scene(int(found.columns["index"][row]))
        assert (found.columns["name"][row], found.columns["label"][row]) == (name, name.partition("/")[0])
        likeliest = explorer.predict("vip_nano", data, "scenes", most=1)[0]
        assert found.predicted[row] == likeliest.label
        assert found.columns["top_probability"][row, 0] == pytest.approx(likeliest.probability, abs=1e-4)
