"""How the cost of each analysis grows: with the side of the picture, the depth, and the models in memory.

Seconds of the processor are fitted by a power of the model's own multiply-adds: an exponent of 1 is a cost
that grows as the model's work does, below 1 the analysis has a part that does not grow.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

import numpy as np
from PIL import Image

from benchmarks.timing import Row, processor_seconds
from explorer import Explorer, Options
from models.costs import multiply_adds
from models.scenes import draw

SIDES = (64, 128, 256, 512)  # pixels
DEEPER = ("fasternet_t0", "fasternet_t1", "fasternet_t2", "fasternet_s")
BESIDE = ("mixer_nano", "s2mlp_nano", "as_mlp_nano", "mobilevit_nano", "fasternet_nano", "s2mlpv2_nano")
LIGHT = Options(steps=8, samples=4, cells=4, draws=16, channels=8)
METHODS = ("saliency", "grad_cam", "integrated_gradients", "smooth_grad", "occlusion", "score_cam")
LIMIT = 1.1


def growth() -> Iterator[Row]:
    yield from over("side 64 to 512", [f"fasternet_t0@{side}" for side in SIDES])
    yield from over("depth and width, T0 to S", list(DEEPER))
    yield beside_others()


def over(what: str, models: list[str]) -> Iterator[Row]:
    """A line for each analysis: its seconds for each model, and the exponent."""
    work = [multiply_adds(model.partition("@")[0], shape(model)) for model in models]
    for name, asked in analyses().items():
        taken = processor_seconds(*(asking(asked, model) for model in models), rounds=3)
        exponent = np.polyfit(np.log(work), np.log(taken), 1)[0]
        told = ", ".join(f"{1000 * one:.0f}" for one in taken)
        yield Row(f"{name}, {what}", f"work^{exponent:.2f} ({told} ms)", f"at most work^{LIMIT}")


def shape(model: str) -> tuple[int, int] | None:
    side = model.partition("@")[2]
    return (int(side), int(side)) if side else None


Question = Callable[[Explorer, str, Image.Image], object]


def analyses() -> dict[str, Question]:
    """The questions, by their names."""

    def attributed(explorer: Explorer, model: str, picture: Image.Image, method: str) -> object:
        *_, last = explorer.attribute(model, picture, "random", method=method, target=0, options=LIGHT)
        return last

    return {
        "predict": lambda explorer, model, picture: explorer.predict(model, picture, "random"),
        "inspect": lambda explorer, model, picture: explorer.inspect(model, picture, "random"),
        **{name: partial(attributed, method=name) for name in METHODS},
    }


def asking(asked: Question, model: str, explorer: Explorer | None = None) -> Callable[[], object]:
    """The question, about another picture each time, to an Explorer that has the model."""
    explorer = explorer or Explorer()
    explorer.load(model, "random")
    seeds = count()
    return lambda: asked(explorer, model, Image.fromarray(draw(next(seeds), 96).picture))


def beside_others() -> Row:
    """A pass of one model with none beside it in memory, and with six."""
    alone, crowded = Explorer(), Explorer()
    for name in BESIDE:
        crowded.load(name, "scenes")
    asked = analyses()["inspect"]
    one, many = processor_seconds(
        *(asking(asked, "vip_nano", explorer) for explorer in (alone, crowded)), rounds=20
    )
    name = f"inspect of vip_nano, {len(BESIDE)} models beside it / none"
    return Row(name, f"{many / one:.2f} ({1000 * one:.0f} ms)", f"at most {LIMIT}")
