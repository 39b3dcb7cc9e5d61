"""A data set of Hugging Face is gone over as it is streamed, its files decoded as all others are."""

import os

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}

import io

import datasets
import pyarrow.parquet
import pytest
from PIL import Image

from explorer import Explorer
from explorer.errors import ChoiceError, PictureError
from explorer.survey import sources, survey
from explorer.survey.question import Question
from models import scenes

NAMES = ["disk", "ring", "star"]


def png(seed: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(scenes.draw(seed, 32).picture).save(file, "PNG")
    return file.getvalue()


FILES = [*map(png, range(5)), b"no picture"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Parquet files of two splits as `datasets` writes them, beside a file that is none of theirs."""
    root = tmp_path_factory.mktemp("hub")
    (root / "secret.png").write_bytes(FILES[0])
    elsewhere = {"bytes": None, "path": str(root / "secret.png")}
    told = {
        "note": [f"row {number}" for number in range(8)],
        "picture": [*({"bytes": one, "path": None} for one in FILES), None, elsewhere],
        "kind": [0, 1, 2, 0, -1, None, 1, 1],
    }
    features = datasets.Features(
        note=datasets.Value("string"), picture=datasets.Image(), kind=datasets.ClassLabel(names=NAMES)
    )
    (root / "set").mkdir()
    for split in ("test", "train"):
        written = datasets.Dataset.from_dict(told, features=features)
        written.to_parquet(root / "set" / f"{split}-00000-of-00001.parquet")
    return root / "set"


def test_rows_are_pictures_as_files_with_the_names_of_their_classes(place):
    met = list(sources.items(f"hf:{place}:test"))
    assert [item.name for item in met] == [f"test/{index:09}" for index in range(8)]
    assert [item.label for item in met] == ["disk", "ring", "star", "disk", None, None, "ring", "ring"]
    assert [item.read() for item in met[:6]] == FILES
    for item, sentence in ((met[6], "holds no picture"), (met[7], "outside of its data set")):
        with pytest.raises(PictureError, match=sentence):
            item.read()


def test_files_of_a_folder_of_pictures_are_read(tmp_path):
    for label in ("left", "right"):
        (tmp_path / "train" / label).mkdir(parents=True)
        (tmp_path / "train" / label / "0.png").write_bytes(FILES[0])
    met = list(sources.items(f"hf:{tmp_path}"))
    assert [(item.label, item.read()) for item in met] == [("left", FILES[0]), ("right", FILES[0])]


def test_what_is_no_data_set_or_no_choice_is_told(place, tmp_path):
    for source, sentence in (
        (f"hf:{place}", r"has the splits test, train|has the splits train, test"),
        (f"hf:{place}:validation", "has the splits"),
        (f"hf:{tmp_path}/nowhere", "There is no data set"),
    ):
        with pytest.raises(ChoiceError, match=sentence):
            list(sources.items(source))
    (tmp_path / "a.csv").write_text("x\n1\n")
    with pytest.raises(ChoiceError, match="has no column of pictures"):
        list(sources.items(f"hf:{tmp_path}"))


def test_a_survey_of_a_data_set_is_that_of_its_files(place, tmp_path):
    explorer, about = Explorer("cpu"), {"model": "vip_nano", "weights": "scenes"}
    folder = tmp_path / "files"
    folder.mkdir()
    for number, data in enumerate(FILES):
        (folder / f"{number}.png").write_bytes(data)
    rows = []
    for name, source in (("a", f"hf:{place}:train"), ("b", str(folder))):
        *_, last = survey.survey(explorer, Question(source=source, **about), tmp_path / name)
        table = pyarrow.parquet.read_table(tmp_path / name / survey.FILE).drop_columns(["name", "label"])
        rows.append(table.to_pylist())
        assert len(last.told["unreadable"]) == (3 if name == "a" else 1)
    assert rows[0] == rows[1]
    assert len(rows[0]) == 5
