"""Installed, Mixscope is one package: it minds no other `models`, and brings what it needs, no more."""

import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from hatch_build import TRAINING, lay_out, moved, required, shipped

ROOT = Path(__file__).parent.parent
BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
INSTALL = ("-m", "pip", "install", "--no-deps", "--no-index", "--no-compile", "-q", "--target")
# One process answers on the command line and then serves the page: importing PyTorch twice takes long.
USED = """
import runpy, sys
from pathlib import Path
import explorer, models, mixscope
place = Path(sys.argv.pop(1))
assert models.OWNER == explorer.OWNER == "somebody else"
assert Path(mixscope.__file__).is_relative_to(place)
assert mixscope.Explorer and mixscope.Options and mixscope.show
try:
    runpy.run_path(str(place / "bin/mixscope"), run_name="__main__")
except SystemExit as ended:
    assert ended.code == 0
sys.argv[1:] = ["--device", "cpu"]
runpy.run_path(str(place / "bin/mixscope"), run_name="__main__")
"""


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("from models.registry import card", "from mixscope.models.registry import card"),
        ("    from app import main", "    from mixscope.app import main"),
        ('"from explorer import Explorer"', '"from mixscope.explorer import Explorer"'),
        ("from models import (\n    one,\n)", "from mixscope.models import (\n    one,\n)"),
        ("maps from models that import nothing", "maps from models that import nothing"),
        ("from modelsome import x", "from modelsome import x"),
        ("see `python -m explorer inspect`", "see `mixscope inspect`"),
        ("`python -m explorer.report.page`", "`python -m mixscope.explorer.report.page`"),
        ("`python -m models`, `python app.py`", "`python -m mixscope.models`, `mixscope`"),
    ],
)
def test_imports_and_commands_move_with_the_package_and_prose_stays(here, there):
    assert moved(here) == there


def test_an_import_that_would_bind_another_name_is_refused():
    with pytest.raises(ValueError, match="`import models` cannot move"):
        moved("import sys\nimport models.probe\n")


def test_all_that_is_imported_ships_and_nothing_that_only_trains(tmp_path):
    assert {name for name in TRAINING if (ROOT / name).is_file()} == TRAINING
    lay_out(ROOT, tmp_path)
    sources = {path: path.read_text("utf-8") for path in tmp_path.rglob("*.py")}
    for path, source in sources.items():
        for name in re.findall(r"^\s*from (mixscope[.\w]*) import", source, re.MULTILINE):
            module = tmp_path / name.replace(".", "/")
            assert module.with_suffix(".py").is_file() or module.is_dir(), f"{path} imports {name}"
        assert not re.search(r"^\s*from (models|explorer|app)\b", source, re.MULTILINE), path
    said = "".join(sources.values())
    for name in TRAINING:
        assert f"from mixscope.{name[:-3].replace('/', '.')} import" not in said


def test_what_ships_is_code_and_what_the_page_needs():
    kinds = {(name.split("/")[1], name.rsplit(".", 1)[-1]) for _, name in shipped(ROOT)}
    assert kinds == {
        *(
            ("__init__.py", "py"),
            ("app.py", "py"),
            ("models", "py"),
            ("explorer", "py"),
            ("explorer", "html"),
        ),
        *(
            ("assets", kind)
            for kind in ("css", "html", "js", "json", "jpg", "npz", "png", "safetensors", "txt")
        ),
        ("surveys", "parquet"),
    }
    names = {name for _, name in shipped(ROOT)}
    assert not {name for name in names if "screenshot" in name or "README" in name or "make.py" in name}
    templates = {f"mixscope/{path.relative_to(ROOT).as_posix()}" for path in ROOT.glob("explorer/**/*.html")}
    assert templates <= names


def test_the_wheel_works_beside_packages_of_the_same_names(tmp_path, star):
    place, work = tmp_path / "installed", tmp_path / "work"
    work.mkdir()
    subprocess.run([sys.executable, "-c", BUILD, str(tmp_path)], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as inside:
        (told,) = (name for name in inside.namelist() if name.endswith("/METADATA"))
        needs = message_from_bytes(inside.read(told)).get_all("Requires-Dist")
        assert {name.split("/")[0] for name in inside.namelist()} == {"mixscope", told.split("/")[0]}
    assert {re.sub("_", "-", one) for one in required(ROOT / "requirements.txt")} <= set(needs)
    subprocess.run([sys.executable, *INSTALL, str(place), str(wheel)], check=True)
    for name in ("models", "explorer"):
        (place / f"{name}.py").write_text('OWNER = "somebody else"\n')
    star.save(work / "star.png")
    assert answers_and_serves(place, work)


def answers_and_serves(place: Path, work: Path) -> bool:
    """Whether what is installed there names the star, and then serves its page until it is ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    own = {"PYTHONPATH": str(place), "GRADIO_SERVER_PORT": port, "TMPDIR": str(work)}
    words = ["inspect", "star.png", "--device", "cpu", "--weights", "scenes", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-c", USED, str(place), *words],
        cwd=work,
        env={**os.environ, **own},
        stdout=subprocess.PIPE,
    )
    try:
        out = b""
        while b"Running" not in out:
            line = process.stdout.readline()
            assert line, "it ended"
            out += line
        (answer,) = json.loads(out[: out.rindex(b"]") + 1])
        assert answer["predictions"][0]["label"] == "star"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as page:
            return b'"title":"Mixscope"' in page.read()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
