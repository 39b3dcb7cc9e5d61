"""How the wheel is made: everything moves into one package, `mixscope`, and its imports with it.

`models` and `explorer` are names a project of one's own may have, so an installed Mixscope has neither; in a
checkout both stay at the top, where `app.py` and the tests find them. What is only for training stays out.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

SHIPPED = (
    "app.py",
    "mixscope.py",
    *("models/*.py", "explorer/**/*.py", "explorer/**/*.html"),
    *(
        "assets/*.css",
        "assets/*.js",
        "assets/*.json",
        "assets/icon.png",
        "assets/offline.html",
        "assets/labels/*.txt",
        "assets/weights/*.safetensors",
    ),
    *("assets/examples/**/*.png", "assets/examples/**/*.jpg", "assets/examples/**/*.json"),
    *("assets/familiar/*", "assets/typical/*", "surveys/*.parquet"),
)
# Trains, measures what was trained, and writes the tables about it; nothing else imports these.
TRAINING = {
    *("explorer/after_training.py", "explorer/familiarity/measure.py", "explorer/familiarity/pictures.py"),
    "explorer/survey/shipping.py",
    *("models/augmentation.py", "models/checkpoint_table.py"),
    *("models/efficientnet_lite_weights.py", "models/model_table.py", "models/muon.py"),
    *(
        "models/photograph_keeping.py",
        "models/photograph_recipe.py",
        "models/photograph_report.py",
        "models/photograph_table.py",
    ),
    *("models/photograph_training.py", "models/photographs.py", "models/ten_of_imagenet.py"),
    *("models/teachers.py", "models/train.py"),
}
OPTIONAL = (
    "timm",
    "mcp",
    "desktop",
    "survey",
    "ray",
    "datasets",
)  # each has requirements-NAME.txt, and is `pip install .[NAME]`
MAIN = '''"""`python -m mixscope`, the same as `mixscope`."""

import sys

from mixscope import main

sys.exit(main())
'''
MOVED = (
    (re.compile(r"\bfrom (app|explorer|models)\b(?=[.\w]* import\b)"), r"from mixscope.\1"),
    (re.compile(r"\bpython -m (explorer|models)\."), r"python -m mixscope.\1."),
    (re.compile(r"\bpython -m explorer\b"), "mixscope"),
    (re.compile(r"\bpython -m models\b"), "python -m mixscope.models"),
    (re.compile(r"\bpython app\.py\b"), "mixscope"),
)


def shipped(root: Path) -> Iterator[tuple[Path, str]]:
    """Each file that ships, and its path in the wheel."""
    for path in sorted({path for pattern in SHIPPED for path in root.glob(pattern)}):
        name = path.relative_to(root).as_posix()
        if name not in TRAINING:
            yield path, "mixscope/" + ("__init__.py" if name == "mixscope.py" else name)


def moved(text: str) -> str:
    """The text of a file, its imports and the commands it names as they are inside of `mixscope`.

    Only `from x import y` binds the same name wherever `x` has gone; `import x` is refused.
    """
    if plain := re.search(r"^\s*import (app|explorer|models)\b", text, re.MULTILINE):
        raise ValueError(f"`{plain[0].strip()}` cannot move into a package; write `from ... import ...`.")
    for pattern, instead in MOVED:
        text = pattern.sub(instead, text)
    return text


def lay_out(root: Path, folder: Path) -> None:
    """Write the package as it is installed into an empty folder."""
    for path, name in shipped(root):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in (".py", ".html"):
            target.write_text(moved(path.read_text("utf-8")), "utf-8")
        else:
            shutil.copyfile(path, target)
    (folder / "mixscope/__main__.py").write_text(MAIN, "utf-8")


def required(path: Path) -> list[str]:
    """The packages a requirements file names itself."""
    lines = path.read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


class Told(MetadataHookInterface):
    """What is needed, as the requirements files have it, and the README without what a Space reads of it."""

    def update(self, metadata: dict[str, Any]) -> None:
        root = Path(self.root)
        metadata["dependencies"] = required(root / "requirements.txt")
        metadata["optional-dependencies"] = {
            name: required(root / f"requirements-{name}.txt") for name in OPTIONAL
        }
        readme = (root / "README.md").read_text("utf-8").split("\n---\n", 1)[1]
        metadata["readme"] = {"content-type": "text/markdown", "text": readme}


class Moved(BuildHookInterface):
    """The package in a folder of its own while the wheel is made; an editable install stays where it is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mixscope-wheel-"))
        if version != "editable":
            lay_out(Path(self.root), self.folder)
            build_data["force_include"][str(self.folder / "mixscope")] = "mixscope"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        shutil.rmtree(self.folder)
