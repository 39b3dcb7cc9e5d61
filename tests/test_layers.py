"""What the source keeps to: imports point one way, files have one subject, nothing private, all declared."""

import ast
import gc
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("models", "explorer", "benchmarks", "assets")
CORE = {"gradio", "matplotlib", "explorer.figures", "explorer.ui"}
# What the files under a folder may not import; the longest folder that holds a file counts.
BANNED = {
    "models": {"explorer", "gradio", "matplotlib", "PIL", "captum"},
    "explorer": CORE,
    "explorer/figures": {"torch", "gradio", "models", "explorer.ui", "matplotlib.pyplot"},
    "explorer/notebook": {"gradio", "matplotlib.pyplot", "explorer.ui", "explorer.command_line"},
    "explorer/report": {"gradio", "matplotlib.pyplot", "explorer.ui", "explorer.command_line"},
    "explorer/command_line": {"torch", "captum", "gradio", "matplotlib.pyplot", "explorer.ui"},
    "explorer/ui": {"torch", "captum", "matplotlib.pyplot"},
}
LONGEST = 200  # lines
LONGER_STILL = 320
LONGER = {  # why each is longer
    "models/block_cards.py": "the catalogue of all single blocks",
    "models/fasternet.py": "one paper, one file",
    "models/as_mlp.py": "one paper, one file",
    "models/vision_permutator.py": "one paper, one file",
    "models/mobilevit.py": "one paper, one file",
    "models/efficientnet_lite.py": "one paper, one file",
    "models/sources.py": "three kinds of places weights come from",
    "explorer/explorer.py": "the public contract, a method a question",
    "explorer/code_walk/tracing.py": "one state machine",
    "explorer/attribution/faithfulness.py": "how a map is measured",
}
PRIVATE = {"_data", "_attribute", "_queue"}
PRIVATE_ALLOWED = {
    "explorer/ui/gradio_internals.py": "no supported way, says why",
    "models/costs.py": "PyTorch documents TorchDispatchMode under this name only",
}


def sources(root: Path = ROOT) -> dict[str, ast.Module]:
    """The syntax tree of every file, by its path from the root."""
    paths = [path for folder in FOLDERS for path in (root / folder).rglob("*.py")] + [
        root / "app.py",
        root / "mixscope.py",
        root / "hatch_build.py",
    ]
    gc.disable()  # CPython 3.11 fails to parse where a page is taken apart in the midst of it (gh-106905)
    try:
        return {
            str(one.relative_to(root)): ast.parse(one.read_text("utf-8")) for one in paths if one.exists()
        }
    finally:
        gc.enable()


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module a file imports, and every name it imports from one, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{one.name}" for one in node.names))
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "late":
            yield from (one.value for one in node.args if isinstance(one, ast.Constant))


def banned_for(path: str) -> set[str]:
    folders = [folder for folder in BANNED if path.startswith(f"{folder}/")]
    return BANNED[max(folders, key=len)] if folders else set()


MAY = {("models/photographs.py", "PIL"): "reads the pictures that are trained on"}


def wrong_imports(trees: dict[str, ast.Module]) -> list[tuple[str, str]]:
    return [
        (path, name)
        for path, tree in trees.items()
        for name in imported(tree)
        if any(f"{name}.".startswith(f"{bad}.") for bad in banned_for(path))
        and (path, name.split(".")[0]) not in MAY
    ]


def private_names(trees: dict[str, ast.Module]) -> list[tuple[str, str]]:
    """Modules of others with an underscore, and what is known to be private of Captum and Gradio."""
    found = []
    for path, tree in trees.items():
        found += [
            (path, name)
            for name in imported(tree)
            if name.split(".")[0] in ("captum", "gradio", "torch") and re.search(r"\._(?!_)", name)
        ]
        accessed = (node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
        found += [(path, name) for name in accessed if name in PRIVATE]
    return [one for one in found if one[0] not in PRIVATE_ALLOWED]


def undeclared(trees: dict[str, ast.Module], declared: set[str]) -> list[tuple[str, str]]:
    """Imports of packages that no requirements file names."""
    owners = packages_distributions()
    own = {"app", "models", "explorer", "benchmarks", "tests", "assets", *sys.stdlib_module_names}
    return [
        (path, package)
        for path, tree in trees.items()
        for package in {name.split(".")[0] for name in imported(tree)} - own
        if not {plain(one) for one in owners.get(package, [])} & declared
    ]


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements() -> set[str]:
    lines = "\n".join((ROOT / f"requirements{kind}.txt").read_text() for kind in ("", "-dev")).splitlines()
    return {
        plain(re.split(r"[=<>\[ ]", line)[0]) for line in lines if line and not line.startswith(("-", "#"))
    }


# Gradio cuts its stubs out of its sources with a function that is not there here.
WITHOUT_STUBS = """
import ast, inspect, sys
from explorer.ui.gradio_import import import_gradio
del ast.get_source_segment
import_gradio()
assert inspect.getfile(sys.modules["gradio"].HTML).endswith("html.py")
"""


def test_what_takes_long_to_import_is_imported_late_and_no_stubs_are_written():
    """The page starts a second sooner without these, which few questions need, and another without stubs."""
    told = f"{WITHOUT_STUBS}import explorer.ui.app; print(*sys.modules)"
    made = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "explorer.ui.app" in made.stdout.split()
    late = {"sklearn", "skimage", "scipy", "captum", "matplotlib.pyplot"}
    assert not late & set(made.stdout.split())


def test_imports_point_one_way():
    assert wrong_imports(sources()) == []


def test_a_file_has_one_subject():
    for path, tree in sources().items():
        lines = (ROOT / path).read_text("utf-8").count("\n")
        assert lines <= (LONGER_STILL if path in LONGER else LONGEST), f"{path} has {lines} lines"
        assert not tree.body or ast.get_docstring(tree), f"{path} does not say what it is about"
    assert set(LONGER) <= set(sources()), "an exception that is not needed any more"


def test_models_change_axes_by_patterns_only():
    for path in sorted((ROOT / "models").glob("*.py")):
        source = path.read_text("utf-8")
        assert not re.search(r"\.(view|permute|reshape|flatten|transpose|unsqueeze)\(", source), path.name
        assert "inplace=True" not in source, path.name


def test_nothing_private_of_others_is_used():
    assert private_names(sources()) == []


def test_everything_imported_is_declared():
    assert undeclared(sources(), requirements()) == []


@pytest.mark.parametrize(
    ("path", "source", "rule"),
    [
        ("explorer/mixing/a.py", "def f():\n    import gradio", wrong_imports),
        ("explorer/a.py", "from explorer.ui import app", wrong_imports),
        ("explorer/ui/tabs/x/a.py", "from torch import nn", wrong_imports),
        ("models/a.py", "import explorer.capture", wrong_imports),
        ("explorer/a.py", "from captum.attr._utils import lrp_rules", private_names),
        ("explorer/ui/a.py", "event._data['x']", private_names),
        ("models/a.py", "import pytest_of_nobody", lambda trees: undeclared(trees, requirements())),
    ],
)
def test_each_rule_finds_an_offender(path, source, rule):
    assert rule({path: ast.parse(source)})
