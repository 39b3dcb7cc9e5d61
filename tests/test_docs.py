"""The documentation tells what is true."""

import re
from inspect import signature
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from PIL import Image

from docs.make_pictures import MOVING, SHOTS
from explorer.ui.endpoints import OFFERED
from models import card, list_models
from models.block_settings import printed
from models.blocks import BLOCKS
from models.counted import parameters
from models.model_table import renew_models, row

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
WEIGHTS_README = (ROOT / "assets" / "weights" / "README.md").read_text("utf-8")
NEW = "cifar10, "


def rows() -> dict[str, list[str]]:
    table = README.split("<!-- models:")[1].split("<!-- /models -->")[0]
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if "|" in line
    ]
    return {row[0]: row[1:] for row in cells[2:]}


@pytest.mark.parametrize("name", list_models())
def test_the_readme_lists_every_model_as_it_is(name):
    """But for weights that came just now, whose tables `explorer.after_training` has yet to write."""
    told, expected = rows()[name], list(row(name)[1:])
    if NEW in told[3] or f"| {name} | cifar10 |" in WEIGHTS_README:
        assert told == expected
    else:
        assert told == [one.replace(NEW, "") for one in expected]


def test_the_table_of_models_is_renewed_between_its_marks(tmp_path):
    (tmp_path / "README.md").write_text("before\n<!-- models: x -->\nold\n<!-- /models -->\nafter\n")
    renew_models(tmp_path / "README.md")
    before, mark, *lines, end, after = (tmp_path / "README.md").read_text().splitlines()
    assert (before, mark, end, after) == ("before", "<!-- models: x -->", "<!-- /models -->", "after")
    assert len(lines) == len(list_models()) + 2
    assert lines[2:] == ["| " + " | ".join(row(name)) + " |" for name in list_models()]


def test_the_command_that_measures_starts_with_every_part():
    from benchmarks.__main__ import PARTS

    assert {path.stem for path in (ROOT / "benchmarks").glob("*.py")} >= {"core", "inputs", "idle", "mixing"}
    assert all(callable(part) for part in PARTS.values())
    assert {"core", "inputs", "idle", "mixing", "maps", "page", "walk"} <= set(PARTS)


def said(values: dict) -> str:
    """Hyper-parameters with their defaults, as the table has them; without where another decides."""
    told = (
        f"`{name}={printed(value)}`" if value is not None else f"`{name}`" for name, value in values.items()
    )
    return ", ".join(told) or "-"


def test_the_documentation_lists_every_single_block_and_every_hyper_parameter():
    table = (ROOT / "docs/single-blocks.md").read_text("utf-8").split("<!-- blocks:")[1].split("<!-- /")[0]
    assert table.splitlines()[3:] == [
        f"| {one.name} | {one.family} | {said(dict(one.settings))} | "
        f"{said({name: kind.default for name, kind in one.more.items()})} |"
        for one in BLOCKS.values()
    ]


def test_the_readme_lists_no_other_model():
    assert sorted(rows()) == list_models()


def test_the_first_screen_has_the_picture_and_two_commands():
    first = README.split("---", 2)[2].split("## What can be seen")[0]
    assert re.findall(r"```bash (\w+)\n(.+)\n```", first) == [
        ("run", "pip install -r requirements.txt -c constraints.txt && python app.py"),
        ("test", "pip install -r requirements-dev.txt -c constraints.txt && python -m pytest"),
    ]
    (picture,) = re.findall(r"!\[.+\]\((.+)\)", first)
    assert (ROOT / picture).is_file()


def test_every_requirement_is_pinned_exactly():
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        assert re.fullmatch(r"[\w.-]+==[\w.]+", line), line


def test_the_space_runs_the_gradio_that_is_pinned():
    version = re.search(r"sdk_version: (\S+)", README)[1]
    assert f"gradio=={version}" in (ROOT / "requirements.txt").read_text().splitlines()


def test_the_space_has_the_two_smallest_published_checkpoints_beforehand():
    told = yaml.safe_load(README.split("---")[1])
    places = {
        one.source.place: parameters(name)
        for name in list_models()
        for one in card(name).weights.values()
        if one.source.place.startswith("huggingface.co/")
    }
    smallest = sorted(places, key=places.__getitem__)[:2]
    assert told["preload_from_hub"] == [
        f"{place.removeprefix('huggingface.co/')} model.safetensors" for place in smallest
    ]
    assert {f"huggingface.co/{name}" for name in told["models"]} <= set(places)
    assert told["python_version"] == "3.12"


def test_links_to_the_space_show_a_picture_that_is_in_it():
    address = yaml.safe_load(README.split("---")[1])["thumbnail"]
    place = re.fullmatch(r"https://huggingface\.co/spaces/[\w-]+/[\w-]+/resolve/main/(.+)", address)[1]
    with Image.open(ROOT / place) as picture:
        assert min(picture.width / 600, picture.height / 315) >= 1  # the least a preview is shown large with


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def linked(page: Path) -> set[Path]:
    """The files of the project a page links or shows."""
    named = re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text("utf-8"))
    return {(page.parent / name).resolve() for name in named}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_named_in_the_documentation_exists(page):
    assert {path for path in linked(page) if not path.exists()} == set()


def test_every_page_is_reached_and_every_picture_is_shown_made_by_the_script_and_light():
    reached = set.union(*map(linked, PAGES))
    pictures = set((ROOT / "docs" / "pictures").iterdir())
    assert set(PAGES[2:]) | pictures <= reached
    assert {path.stem for path in pictures} == {*SHOTS, MOVING}
    assert max(path.stat().st_size for path in pictures) <= 160_000


def test_the_page_for_programs_lists_every_endpoint_as_it_is():
    told = (ROOT / "docs" / "api.md").read_text("utf-8")
    for name, (handler, _) in OFFERED.items():
        _, *takes = signature(handler).parameters
        said = " ".join(handler.__doc__.split())
        assert f"| `/{name}` | {', '.join(takes) or '-'} | {said} |" in told, name


def examples(page: str) -> str:
    """The Python of a page as one program, pictures named as they lie here."""
    parts = (ROOT / page).read_text("utf-8").split("```python")[1:]
    program = "".join(dedent(part.rpartition("```")[0].split("```")[0]) for part in parts)
    return program.replace('"assets/', f'"{ROOT}/assets/')


def test_the_library_examples_run(capsys):
    exec(compile(examples("README.md"), "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("star 0.9")
    exec(compile(examples("docs/cookbook.md"), "cookbook.md", "exec"), {})
    out = capsys.readouterr().out
    assert out.count("{'height':") == 6
    assert "of_height, of_width, of_channel = self.branch_weights" in out
    # A row and a column of 16 patches of 4 x 4 pixels, which share one patch.
    assert f"(64, 64) {(2 * 16 - 1) * 4 * 4}\n" in out
    assert out.endswith("['gate.2']\n")
