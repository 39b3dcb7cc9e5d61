"""A forward pass beside the same network restated plainly, and what `create` costs beyond reading a file."""

import torch
from safetensors.torch import load_file

from benchmarks import restated
from benchmarks.timing import Row, medians
from explorer.engine.device import choose_threads, keep_freed_memory
from models import card, create

PAIRS = {
    "vip_s7": restated.vision_permutator,
    "s2mlpv2_small": restated.s2_mlp_v2,
    "mobilevit_s": restated.mobilevit,
    "vip_nano": restated.vision_permutator,
    "s2mlpv2_nano": restated.s2_mlp_v2,
    "mobilevit_nano": restated.mobilevit,
}


def forward() -> list[Row]:
    torch.set_num_threads(choose_threads())
    keep_freed_memory()
    rows = [against(name, batch) for name in PAIRS for batch in (1, 8)]
    return [*rows, *(creation(name) for name in ("vip_nano", "mobilevit_nano"))]


@torch.no_grad()
def against(name: str, batch: int) -> Row:
    model, size = create(name), card(name).image_size
    image = torch.rand(batch, 3, size, size)
    plain = PAIRS[name]
    exact = create(name).double()
    torch.testing.assert_close(exact(image[:1].double()), plain(exact, image[:1].double()))
    alone, ours = medians(lambda: plain(model, image), lambda: model(image), rounds=15 if batch == 1 else 7)
    return Row(
        f"forward of {name}, batch {batch} / restated plainly",
        f"{ours / alone:.2f} ({1000 * alone:.0f} ms)",
        "at most 1.03",
    )


def creation(name: str) -> Row:
    path = card(name).weights["scenes"].source.fetch()

    def read() -> None:
        load_file(path)

    reading, making = medians(read, lambda: create(name, "scenes"), rounds=15)
    return Row(
        f"create {name} with weights - reading its file",
        f"{1000 * (making - reading):.0f} ms",
        "at most 60 ms",
    )
