"""Imports point one way: models <- explorer <- figures <- ui <- app."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BANNED = {
    "models/**/*.py": {"explorer", "gradio", "matplotlib", "PIL", "captum"},
    "explorer/*.py": {"gradio", "matplotlib", "explorer.figures", "explorer.ui"},
    "explorer/figures/*.py": {"torch", "gradio", "models", "explorer.ui", "matplotlib.pyplot"},
    "explorer/ui/**/*.py": {"torch", "captum", "matplotlib.pyplot"},
}
IMPORT = re.compile(r"^\s*(?:from (\S+) import (.+)|import (\S+))", re.MULTILINE)
SOURCES = [
    p for folder in ("models", "explorer", "benchmarks", "assets") for p in (ROOT / folder).rglob("*.py")
]


def imported(source: str) -> set[str]:
    names = set()
    for module, members, plain in IMPORT.findall(source):
        names |= {plain or module, *(f"{module}.{member}" for member in re.findall(r"\w+", members))}
    return names


@pytest.mark.parametrize(
    ("path", "banned"),
    [
        pytest.param(path, banned, id=str(path.relative_to(ROOT)))
        for pattern, banned in BANNED.items()
        for path in sorted(ROOT.glob(pattern))
    ],
)
def test_imports_point_one_way(path, banned):
    names = imported(path.read_text("utf-8"))
    assert not {name for name in names if any(f"{name}.".startswith(f"{bad}.") for bad in banned)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_one_subject(path):
    source = path.read_text("utf-8")
    assert source.count("\n") <= 300
    assert not source or source.startswith('"""'), "says what it is about"


@pytest.mark.parametrize("path", sorted((ROOT / "models").glob("*.py")), ids=lambda path: path.name)
def test_models_change_axes_by_patterns_only(path):
    source = path.read_text("utf-8")
    assert not re.search(r"\.(view|permute|reshape|flatten|transpose|unsqueeze)\(", source)
    assert "inplace=True" not in source
