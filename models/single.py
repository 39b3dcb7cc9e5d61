"""A single block as a model: a picture through a patch embedding, the block, and the mean over the places.

Asked for like a backbone, by a name that says its hyper-parameters:
`create("WeightedPermuteMLP(dim=64, seg_dim=16, qkv_bias=1)")`. Where the widths agree, the patch embedding is
that of the family's nano; where all hyper-parameters agree, so is the block, with weights "scenes".
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any

import torch
from einops import rearrange, reduce
from jaxtyping import Float
from torch import Tensor, nn

from models.block_cards import BlockCard
from models.block_settings import LONGEST
from models.blocks import BlockError, block_card, complete, create_block, every, spelled
from models.layers import Patches
from models.preprocess import SCENES, Preprocess
from models.probe import OUTPUTS, Kind, Probe, Role
from models.registry import MAKERS, ModelCard, card, create

SIDE = 64  # pixels of the picture, for a block that takes any grid
# Pixels along a side of their first patches; else 4.
NANO_PATCH = {"mixer_nano": 8, "s2mlp_nano": 8, "mobilevit_nano": 2, "efficientnet_lite_nano": 2}


class Carried(nn.Module):
    """One block, with what carries a picture to it."""

    def __init__(self, found: BlockCard, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.axes = "b c h w" if found.axes == "b c h w" else "b h w c"  # of what the block takes and gives
        self.stem_axes = self.axes
        self.parts = settings["branches"] if found.axes.startswith("branches") else 0
        self.stem: nn.Module = nn.Identity()
        self.norm: nn.Module = nn.Identity()
        if uses_nano(found, settings):
            counted_only = torch.get_default_device().type == "meta"  # there is no memory to load into
            nano = create(found.nano, None if counted_only else "scenes")
            self.stem = nano.get_submodule(found.stem)
            self.norm = nano.get_submodule(found.norm) if found.norm else nn.Identity()
        elif width_of(found, settings) != 3:
            self.stem = Patches(3, width_of(found, settings), patch_of(found, settings))
            self.stem_axes = "b h w c"
        self.block = create_block(found.name, **settings)
        self.output: nn.Module = nn.Identity()  # of a block that gives several maps, all probed there
        if not settings.get("fork_feat"):
            self.output = Probe(Kind.FEATURE_MAP, f"{self.axes} -> b h w c", role=output_role(self.block))
        self.pooled = Probe(Kind.VECTOR, "b c -> b c")

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b channels"]:
        x = self.stem(rearrange(image, f"b c h w -> {self.stem_axes}"))
        x = self.norm(rearrange(x, f"{self.stem_axes} -> {self.axes}"))
        made = self.output(self.block(list(x.chunk(self.parts, dim=-1)) if self.parts else x))
        maps = made if isinstance(made, list) else [made]
        means = [reduce(each, f"{self.axes} -> b c", "mean") for each in maps]
        return self.pooled(torch.cat(means, dim=1))


def width_of(found: BlockCard, settings: Mapping[str, Any]) -> int:
    """Channels a block takes, all branches together."""
    shape = found.shape(settings)
    if found.axes == "b c h w":
        return shape[1]
    return shape[-1] * settings.get("branches", 1)


def output_role(block: nn.Module) -> Role:
    """A block that says itself what it puts out is all its stage holds."""
    told = any(isinstance(part, Probe) and part.role in OUTPUTS for part in block.modules())
    return Role.STAGE if told else Role.BLOCK


def uses_nano(found: BlockCard, settings: Mapping[str, Any]) -> bool:
    """Whether the patch embedding of the family's nano is as wide as the block."""
    return bool(found.trained) and found.trained["dim"] == width_of(found, settings)


def patch_of(found: BlockCard, settings: Mapping[str, Any]) -> int:
    """Pixels along a side of what becomes one token: those of the nano, or enough for a picture."""
    if uses_nano(found, settings):
        return NANO_PATCH.get(found.nano, 4)
    grid = found.shape(settings)[2]
    return max(4, SIDE // grid) if is_tied(settings) else 4


def is_tied(settings: Mapping[str, Any]) -> bool:
    """Whether the block takes one size of map only."""
    return not settings.keys().isdisjoint({"seg_dim", "grid", "patch"})


def side_of(found: BlockCard, settings: Mapping[str, Any]) -> int:
    """Side of the picture in pixels that gives the block the map it expects."""
    if not is_tied(settings):
        return max(SIDE, found.least(every(found, settings)) * taken_by_patch(found, settings))
    grid = found.shape(settings)[2]
    return grid if width_of(found, settings) == 3 else grid * patch_of(found, settings)


def taken_by_patch(found: BlockCard, settings: Mapping[str, Any]) -> int:
    """Pixels along a side of what becomes one place of the block's map; a block 3 wide sees the pixels."""
    return 1 if width_of(found, settings) == 3 else patch_of(found, settings)


def read_name(name: str) -> tuple[BlockCard, dict[str, Any]] | None:
    """The block a model's name spells, with the settings that name it; None for the name of a backbone."""
    match = re.fullmatch(r"\s*(\w+)\s*\((.*)\)\s*", name)
    if not match:
        return None
    found = block_card(match[1])
    return found, complete(found, pairs(match[2]))


def pairs(text: str) -> dict[str, str]:
    """What `dim=64, qkv_bias=1` says; raises BlockError for a part without `=` and for what is said twice."""
    said: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals and key:
            raise BlockError(f"Hyper-parameters are written as dim=64, qkv_bias=1, not as {key[:LONGEST]}.")
        if key in said:
            raise BlockError(f"The hyper-parameter {key[:LONGEST]} is given twice.")
        if equals:
            said[key] = value
    return said


def remark(found: BlockCard, settings: Mapping[str, Any]) -> str:
    """What of a block with random weights is trained nevertheless."""
    if width_of(found, settings) == 3:
        return "Untrained block: its weights are random, it sees the pixels themselves"
    if uses_nano(found, settings):
        return f"Untrained block: its weights are random, behind the trained patches of {found.nano}"
    return "Untrained: the block and the patch embedding before it are random"


def of_block(found: BlockCard, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our keys for the parts of a nano this needs."""
    places = {f"{found.stem}.": "stem.", f"{found.place}.": "block."}
    places |= {f"{found.norm}.": "norm."} if found.norm else {}
    return {
        new + key.removeprefix(old): value
        for old, new in places.items()
        for key, value in tensors.items()
        if key.startswith(old)
    }


@lru_cache(maxsize=64)  # the page asks for a card many times for every picture
def single(name: str) -> ModelCard | None:
    """The card of a single block; None for the name of a backbone.

    Raises BlockError for a block nobody listed and for hyper-parameters that do not go together.
    """
    asked = read_name(name)
    if asked is None:
        return None
    found, settings = asked
    with torch.device("meta"):  # which takes no memory, however large
        create_block(found.name, **settings)  # refuses what does not go together
    size = side_of(found, settings)
    if size > 1024:
        raise BlockError(
            f"{spelled(found.name, settings)} needs a picture of {size} pixels; the limit is 1024."
        )
    trained = card(found.nano).weights if found.place and settings == dict(found.trained) else {}
    return ModelCard(
        name=spelled(found.name, settings),
        family="Single block",
        paper=found.paper,
        source=found.paper,
        image_size=size,
        num_classes=0,
        step=0,
        build=partial(Carried, found, settings),
        published=partial(of_block, found),
        preprocess=Preprocess(size=size, interpolation="bilinear", mean=SCENES.mean, std=SCENES.std),
        labels="",
        weights=MappingProxyType({kind: replace(listed, labels="") for kind, listed in trained.items()}),
        remark=remark(found, settings),
    )


MAKERS.append(single)
