"""A backbone, a method with an option and a tab are added in the files CONTRIBUTING names, in no others."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RECIPES = (ROOT / "CONTRIBUTING.md").read_text("utf-8")

BACKBONE = '''"""Toy: a network of one block."""

from dataclasses import dataclass

from einops import rearrange, reduce
from torch import nn

from models.layers import Patches, table_map
from models.probe import Kind, Probe, Role
from models.registry import Preprocess, announce


@dataclass(frozen=True, kw_only=True)
class ToyConfig:
    image_size: int = 32
    num_classes: int = 1000


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 8)
        self.output = table_map(role=Role.BLOCK)

    def forward(self, x):
        return self.output(x + self.fc(x).relu())


class Toy(nn.Module):
    def __init__(self, cfg: ToyConfig) -> None:
        super().__init__()
        self.stem = Patches(3, 8, 4)
        self.blocks = nn.Sequential(Block(), Block())
        self.pooled = Probe(Kind.VECTOR, "b c -> b c")
        self.head = nn.Linear(8, cfg.num_classes)

    def forward(self, image):
        x = self.blocks(self.stem(rearrange(image, "b c h w -> b h w c")))
        return self.head(self.pooled(reduce(x, "b h w c -> b c", "mean")))


announce(
    "toy",
    ToyConfig(),
    family="Toy",
    paper="https://arxiv.org/abs/0000.00000",
    source="https://example.org",
    network=Toy,
    published=lambda _cfg, tensors: dict(tensors),
    preprocess=Preprocess(size=32),
    step=4,
)
'''
METHOD = '''

def toy(case: Case) -> Iterator[Part]:
    """Brightness to a power: a toy."""
    yield Part(1, 1, case.image.abs() ** case.options.power)
'''
TAB = '''"""A toy tab: the name of the model."""

from explorer.ui.components import View, sentence
from explorer.ui.selection import wired
from explorer.ui.tabs.registry import BuiltTab, TabParts


def draw(explorer, selection):
    return sentence(f"This is {selection.model}.")


def build(parts: TabParts) -> BuiltTab:
    view = View(elem_id="toy")
    parts.redraw.change(**wired(parts.explorer, parts.rail, draw), outputs=view)
    return BuiltTab()
'''
USE = """
from explorer import Explorer, Options
from explorer.attribution.registry import METHODS
from explorer.features.comparison import at_depth
from explorer.features.feature_maps import feature_map, milestones, pca_colour
from explorer.ui.app import build_app
from explorer.ui.tabs import TABS
from explorer.ui.tabs.attribution.option_controls import build_controls

explorer, star = Explorer("cpu"), "assets/examples/2-star.png"
run = explorer.inspect("toy", star, "random")
assert milestones(run)[-1] == "blocks.1.output"
assert pca_colour(feature_map(run, "blocks.0.output")).shape == (8, 8, 3)
assert at_depth(run, 1).layer == "blocks.1.output"
assert explorer.likeness(star, ("toy", "random"), ("vip_nano", "scenes")).values.shape == (3, 8)
assert explorer.theoretical_field("toy", "random", layer="blocks.1.output", place=(0, 0)).sum() == 16
*_, costs = explorer.costs("toy", "random")
*_, plain = explorer.attribute("toy", star, "random", method="toy")
*_, cubed = explorer.attribute("toy", star, "random", method="toy", options=Options(power=3))
assert cubed.values.max() != plain.values.max()
try:
    list(explorer.attribute("toy", star, "random", method="toy", options=Options(power=99)))
except Exception as error:
    assert str(error) == "power goes from 1 to 4; 99 is outside.", error
else:
    raise AssertionError("a value outside its limits was taken")
app = build_app(explorer)
labels = [getattr(block, "label", None) for block in app.blocks.values()]
assert "Power" in labels, "the option has its control"
assert "Toy" in labels, "the tab is on the page"
print("used")
"""


def recipe(title: str) -> list[str]:
    """The files a recipe says it touches."""
    told = RECIPES.split(f"## How to add {title}")[1].split("\n\n")[1]
    return re.findall(r"`([^`]+)`", told)


def changed(folder: Path, path: str, old: str, new: str) -> None:
    source = (folder / path).read_text("utf-8")
    assert source.count(old) >= 1, f"{path} has no {old!r}"
    (folder / path).write_text(source.replace(old, new, 1), "utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The project, without its tests."""
    folder = tmp_path_factory.mktemp("project")
    for part in ("models", "explorer", "assets"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.pyi"))
    return folder


def test_a_toy_of_each_works_after_touching_the_files_of_its_recipe(copy):
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    (copy / "models/toy.py").write_text(BACKBONE)
    changed(copy, "models/__init__.py", "    as_mlp,\n", "    toy,\n    as_mlp,\n")
    controls = copy / "explorer/attribution/methods/controls.py"
    controls.write_text(controls.read_text("utf-8") + METHOD)
    method = '"toy": Method("Toy", controls.toy, lambda _: 1, uses=("power",)),'
    changed(
        copy,
        "explorer/attribution/registry.py",
        '        "random": Method(',
        f'        {method}\n        "random": Method(',
    )
    options = "explorer/attribution/options.py"
    values = 'kind="whole", default=1, label="Power", limits=(1, 4), slider=(1, 4, 1), help="P."'
    row = f'"power": OptionSpec({values}),'
    changed(copy, options, '        "seed": OptionSpec(', f'        {row}\n        "seed": OptionSpec(')
    field = '    seed: int = OPTIONS["seed"].default'
    changed(copy, options, field, f'{field}\n    power: int = OPTIONS["power"].default')
    tabs = "explorer/ui/tabs/__init__.py"
    (copy / "explorer/ui/tabs/toy").mkdir()
    (copy / "explorer/ui/tabs/toy/__init__.py").write_text('"""A toy."""\n')
    (copy / "explorer/ui/tabs/toy/tab.py").write_text(TAB)
    changed(copy, tabs, "TABS = (", "from explorer.ui.tabs.toy import tab as toy\n\nTABS = (")
    changed(copy, tabs, "compare.build),", 'compare.build),\n    TabRow("toy", "Toy", toy.build),')

    after = {path for path in copy.rglob("*") if path.is_file()}
    touched = {str(path.relative_to(copy)) for path in after if before.get(path) != path.read_bytes()}
    named = [*recipe("a backbone"), *recipe("an attribution method, or an option"), *recipe("a tab")]
    named = [
        one.replace("<paper>", "toy").replace("<kind>", "controls").replace("<name>", "toy") for one in named
    ]
    assert touched == set(named)

    done = subprocess.run(
        [sys.executable, "-c", USE], cwd=copy, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.stdout.strip().endswith("used"), done.stderr[-2000:]
