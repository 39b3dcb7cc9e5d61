"""A report says of many rows what can be counted by hand, and is one file."""

import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binomtest

from explorer.errors import ExplorerError
from explorer.report.survey_page import survey_report
from explorer.survey import found, odd, parts
from explorer.survey.drift import drift
from explorer.survey.found import Rows
from explorer.survey.parts import About

COUNT = 60  # pictures; the first class blends otherwise than the second
CLASSES = ("cat", "dog")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A survey written by hand, in two parts, of pictures that lie in a folder."""
    root = tmp_path_factory.mktemp("report")
    random = np.random.default_rng(0)
    kinds = np.arange(COUNT) % 2
    share = np.stack([0.5 + 0.2 * kinds + random.normal(0, 0.01, COUNT), random.normal(0.5, 0.01, COUNT)])
    features = random.normal(size=(COUNT, 6)).astype(np.float32)
    features[7] = features[4]
    features[30] = 40
    pictures = root / "in"
    for name in CLASSES:
        (pictures / name).mkdir(parents=True)
    names = [f"{CLASSES[kind]}/{number:02}.png" for number, kind in enumerate(kinds)]
    names.sort()
    for number, name in enumerate(names):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(pictures / name)
    order = np.argsort(kinds, kind="stable")
    columns = {
        "name": names,
        "label": [name.partition("/")[0] for name in names],
        "index": np.arange(COUNT),
        "top_class": np.stack([kinds, 1 - kinds], axis=1)[order].astype(np.int32),
        "top_probability": np.tile(np.float32([0.8, 0.2]), (COUNT, 1)),
        "shares:first": np.stack([share[0], 1 - share[0]], axis=1)[order].astype(np.float32),
        "open:gate": share[1][order].astype(np.float32),
        "embedding": features,
        "scores:saliency": np.tile(np.float32([0.5, 0.0, 0.25]), (COUNT, 1)),
    }
    columns["top_class"][0] = (1, 0)  # one of sixty is told wrong
    openness = {"shares:first": np.float32([[0, 0.2, 0.1, 0.3], [0.04, 0.9, 0.8, 0.7]])}
    openness["open:gate"] = np.float32([[0.96, 0.0], [1.0, 1.0]])
    (root / "parts").mkdir()
    for start, stop in ((0, 40), (40, COUNT)):
        some = {name: values[start:stop] for name, values in columns.items()}
        about = About(start=start, stop=stop, names="", openness=openness)
        parts.write_part(root, start, parts.part_bytes(parts.table(some), about))
    told = {"source": str(pictures), "model": "m<b>", "weights": "w", "labels": list(CLASSES)}
    told |= {"branches": {"shares:first": ["x", "y"]}}
    parts.merge(root, root / "survey.parquet", told)
    return root / "survey.parquet"


def test_classes_that_blend_otherwise_are_told_apart_and_others_not(place):
    classes, compared = found.by_class(Rows.read(place))
    first, gate = compared
    assert (classes, first.branches, gate.branches) == (["cat", "dog"], ("x", "y"), ("open",))
    assert first.probability == pytest.approx(2 / 1000)  # the least there is, times two tests
    assert gate.probability > 0.05
    np.testing.assert_allclose(first.compared.means[:, 0], [0.5, 0.7], atol=0.01)
    assert (first.low <= first.compared.means).all()
    assert (first.compared.means <= first.high).all()
    width = (first.high - first.low)[0, 0]
    assert width == pytest.approx(2 * 1.96 * 0.01 / np.sqrt(COUNT / 2), rel=0.4)


@pytest.fixture
def moved(place):
    """The survey, and another in which the first branch has a tenth less and one class is another."""
    here = Rows.read(place)
    named = {"digest": [f"{number}" for number in range(COUNT)]}
    shares = here.columns["shares:first"] + np.float32([-0.1, 0.1])
    tops = here.columns["top_class"].copy()
    tops[3] = tops[3, ::-1]
    other = {**here.columns, "shares:first": shares, "top_class": tops, "digest": [*named["digest"][1:], "x"]}
    return replace(here, columns={**here.columns, **named}), replace(here, columns=other)


def test_what_differs_between_two_surveys_is_told_with_an_interval_and_what_does_not_is_not(moved):
    here, other = moved
    told = drift(here, other)
    first, gate = told.moved
    assert (first.block, first.branch, gate.block) == ("first", "x", "gate")
    assert first.difference == pytest.approx(0.1, abs=1e-6)
    spread = here.columns["shares:first"][:, 0].std(ddof=1)
    assert first.half == pytest.approx(1.96 * spread * np.sqrt(2 / COUNT), rel=1e-5)
    assert first.probability == pytest.approx(2 / 1000)
    assert (gate.difference, gate.probability) == (0, 1)
    assert [one.right for one in told.accuracy] == [58, 59]


def test_pictures_in_both_surveys_are_known_by_their_digests(moved):
    here, other = moved
    before = dict(zip(other.columns["digest"], other.predicted, strict=True))
    now = dict(zip(here.columns["digest"], here.predicted, strict=True))
    unlike = [one for one in now if one in before and before[one] != now[one]]
    told = drift(here, other)
    assert (told.both, told.changed) == (COUNT - 1, len(unlike))
    assert unlike
    strangers = replace(other, about={**other.about, "labels": ["a", "b"]})
    assert drift(here, strangers).both == 0


def test_surveys_of_other_blocks_are_not_compared(moved):
    here, other = moved
    renamed = {
        name.replace("first", "second").replace("gate", "door"): values
        for name, values in other.columns.items()
    }
    with pytest.raises(ExplorerError, match="no blocks alike"):
        drift(here, replace(other, columns=renamed))


def test_the_report_tells_of_another_survey_beside_it(place):
    assert "another survey" not in survey_report(place)
    html = survey_report(place, place)
    assert html.count("+0.000 ± 0.0") == 2
    chinese = survey_report(place, place, chinese=True)
    told = re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<style.*?</style>", "", chinese))
    assert re.findall("[a-z]+ [a-z]+ [a-z]+", told) == []
    assert "另一次普查" in chinese


def test_channels_never_and_always_open_are_counted(place):
    counts = [(one.branch, one.channels, one.never, one.always) for one in found.channels(Rows.read(place))]
    assert counts == [("x", 2, 1, 0), ("y", 2, 0, 0), ("open", 2, 0, 1)]


def test_the_odd_one_and_the_two_that_are_alike_are_found(place):
    rows = Rows.read(place)
    assert odd.unusual(rows).argmax() == 30
    (pair,) = odd.pairs(rows, 1)
    assert pair == (4, 7, pytest.approx(1.0, abs=1e-5))


def test_accuracy_and_calibration_are_those_of_the_definition(place):
    told = found.accuracy(Rows.read(place))
    assert (told.right, told.of) == (59, 60)
    assert told.confidence == pytest.approx(0.8)
    assert told.error == pytest.approx(59 / 60 - 0.8)
    assert told.interval == pytest.approx(binomtest(59, 60).proportion_ci(method="wilson"), abs=1e-4)


def test_of_many_rows_some_are_looked_at_spread_evenly(place):
    assert list(Rows.read(place, most=20).columns["index"]) == list(range(0, COUNT, 3))


def test_the_report_is_one_file_with_small_pictures_and_what_was_found(place):
    html = survey_report(place)
    assert not re.search(r'(src|href)="(?!data:)', html)
    assert "m&lt;b&gt; over 60 pictures" in html
    assert "98.3 % are told right" in html
    assert html.count('<img src="data:image/png') == 12 + 2 * 6
    assert "0.500" in html
    chinese = survey_report(place, chinese=True)
    told = re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<style.*?</style>", "", chinese))
    assert re.findall("[a-z]+ [a-z]+ [a-z]+", told) == []
    assert "60 张图片" in chinese
    assert re.findall("cat/[0-9]+.png", chinese) == re.findall("cat/[0-9]+.png", html)
    assert "This picture is not there any more" not in html
    for name in CLASSES:
        for path in (place.parent / "in" / name).iterdir():
            path.unlink()
    assert survey_report(place).count("This picture is not there any more") == 12 + 2 * 6


def test_another_file_is_no_survey(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(ExplorerError, match="is no survey"):
        survey_report(tmp_path / "a.parquet")
