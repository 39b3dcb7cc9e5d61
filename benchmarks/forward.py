"""A forward pass beside the same network restated plainly, and what `create` costs beyond reading a file.

Ours is computed as the page does where only the result counts, see `explorer.engine.twins`.
"""

import torch
from safetensors.torch import load_file

from benchmarks import restated
from benchmarks.timing import Row, medians, ratio
from explorer.engine.device import choose_threads, keep_freed_memory
from explorer.engine.twins import folded, quickly_laid_out
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
    published, plain = create(name), PAIRS[name]
    model = folded(quickly_laid_out(create(name)))
    image = torch.rand(batch, 3, *card(name).preprocess.shape)
    exact = create(name).double()
    torch.testing.assert_close(exact(image[:1].double()), plain(exact, image[:1].double()))
    rounds = 7 if batch > 1 else 60 if name.endswith("_nano") else 15
    alone, ours = medians(lambda: plain(published, image), lambda: model(image), rounds=rounds)
    most = 0.75 if batch == 1 and not name.startswith("mobilevit_s") else 0.90
    return Row(
        f"forward of {name}, batch {batch} / restated plainly", ratio(ours, alone), f"at most {most:.2f}"
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
