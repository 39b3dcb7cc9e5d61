"""What it costs to follow a block line by line, as a ratio to the block running alone in the same breath."""

import time

import torch

from benchmarks.timing import Row
from explorer.capture import hooked
from explorer.code_walk.walk import first_block, walk
from models import card, create
from models.probe import Kind, Probe

REPEATS = 40


def walk_costs() -> list[Row]:
    return [ratio(name) for name in ("vip_nano", "mixer_nano", "mobilevit_nano", "fasternet_nano", "vip_s7")]


def ratio(name: str) -> Row:
    """Both times are the least of many, taken in turn, with the attention written out in both."""
    model = create(name, "scenes" if "scenes" in card(name).weights else None)
    image = torch.randn(1, 3, *card(name).preprocess.shape, generator=torch.Generator().manual_seed(0))
    block = first_block(model)
    part = model.get_submodule(block)
    taken: list[tuple] = []
    handle = part.register_forward_pre_hook(lambda _, args: taken.append(args))
    with torch.no_grad():
        model(image)
    handle.remove()
    heard = {p: lambda *_: None for p in part.modules() if isinstance(p, Probe) and p.kind is Kind.ATTENTION}
    alone, followed = [], []
    with torch.no_grad():
        for _ in range(REPEATS):
            with hooked(heard):
                began = time.perf_counter()
                part(*taken[0])
                alone.append(time.perf_counter() - began)
            followed.append(walk(model, image, block).seconds)
    told = f"{min(followed) / min(alone):.2f} ({1000 * min(alone):.2f} ms)"
    return Row(f"code walk of a block of {name} / the block alone", told, "at most 3")
