"""Which models there are to choose among, and which of three kinds one is."""

from explorer.any_model.adding import added_models
from explorer.any_model.timm_models import PREFIX, is_installed, timm_names
from models import card, list_models
from models.blocks import BLOCKS, spelled
from models.counted import megabytes, parameters
from models.single import read_name
from models.sizes import sizes_seen, usual_sizes
from models.sources import OWN

FIRST = "vip_nano"  # what a visitor sees first
KNOWN = {"scenes": "scenes", "cifar10": "CIFAR-10", "imagenet": "ImageNet", OWN: "its own"}
BACKBONE, SINGLE, LIBRARY = "backbone", "block", "timm"


def backbones() -> list[str]:
    """All by family, what was added on top, then the family of the first visit; the trained ones first."""

    trained, added = list_models(bundled=True), added_models()

    def rank(name: str) -> tuple:
        family = card(name).family
        return name not in added, family != card(FIRST).family, family, name not in trained, name

    return sorted([*list_models(), *added], key=rank)


def offered() -> list[tuple[str, str]]:
    """Names of backbones with what the menu says of each: family, parameters, and which weights are here."""
    return [(label(name), name) for name in backbones()]


def label(name: str) -> str:
    """`vip_nano · Vision Permutator · 0.86 M · scenes, CIFAR-10`; commas for what is here."""
    found = card(name)
    here = [KNOWN.get(one, one) for one, known in found.weights.items() if known.source.here()]
    away = f"ImageNet to download, {megabytes(name):.0f} MB" if found.weights else "no weights"
    return f"{name} · {found.family} · {parameters(name) / 1e6:.2f} M · {', '.join(here) or away}"


def kinds() -> list[tuple[str, str]]:
    """What may be chosen among; timm only where it is installed."""
    return [
        ("Backbone", BACKBONE),
        ("Single block", SINGLE),
        *([("timm", LIBRARY)] if is_installed() else []),
    ]


def kind_of(name: str) -> str:
    if name in added_models():
        return BACKBONE
    return SINGLE if read_name(name) else LIBRARY if name.startswith(PREFIX) else BACKBONE


def in_library() -> list[tuple[str, str]]:
    """What the menu of timm offers to search in; names of the Hub are typed."""
    return [(name.removeprefix(PREFIX), name) for name in timm_names()]


def sizes_of(backbone: str, asked: str) -> list[tuple[str, str]]:
    """What the menu of sizes offers, first what is usual; "" where its weights saw different sizes."""
    found = card(backbone)
    several = [("as its weights saw", "")] if found.step and len(sizes_seen(found)) > 1 else []
    offered = dict.fromkeys([*usual_sizes(found), *([asked] if asked else [])])
    return [*several, *((size.replace("x", " × "), size) for size in offered)]


def start(block: str) -> str:
    """A block as first shown: as it is trained in a nano, where it is."""
    return spelled(block, BLOCKS[block].trained or BLOCKS[block].settings)
