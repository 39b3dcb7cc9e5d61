"""What is found in models of timm with random weights: `python -m benchmarks.any_model > table.md`.

Nothing is fetched. As truth serve timm's own classes: an instance that runs has to hold a gate of its kind,
and no gate may stand elsewhere. It takes a quarter of an hour; to measure some again, with the rows of a
table made before: `python -m benchmarks.any_model resnet18 --after table.md`.
"""

import sys
import time
from argparse import ArgumentParser
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
from einops import rearrange
from torch import Tensor, nn

from benchmarks.any_model_table import HEAD, cells_in, read, summary, written
from benchmarks.timing import processor_seconds
from benchmarks.timm_truth import expected
from explorer.any_model.find import Found, find
from explorer.any_model.foreign import Foreign
from explorer.any_model.timm_models import timm
from explorer.any_model.watch import watched
from explorer.capture import Run, editing, hooked, run
from explorer.engine.device import choose_threads
from models.probe import Kind

MODELS = Path(__file__).with_name("timm_models.txt").read_text("utf-8").split()


@dataclass(frozen=True)
class Row:
    """What was found in one model, and how it compares."""

    name: str
    found: Found
    known: tuple[int, int]  # timm's own gates that are found, and how many there are
    invented: tuple[str, ...]
    agree: tuple[int, int]  # of timm's intermediate maps, those a layer equals; and all
    edits: tuple[int, int]  # gates that move the logits and give them back; and those tried
    capture: float  # seconds of the processor over those of the forward
    read: float  # the same with every tensor read
    finder: float


def measured(name: str) -> Row:
    torch.manual_seed(0)
    model = redrawn(timm().create_model(name)).eval().requires_grad_(False)
    _, *size = model.pretrained_cfg["input_size"]
    image = torch.randn(1, 3, *size)
    found = find(model, (size[0], size[1]))
    foreign = Foreign(model, found.stations, found)
    seen = run(foreign, image)
    known, invented = compared(model, found, image)
    ratios = times(model, foreign, image)
    return Row(name, found, known, invented, agreeing(model, image, seen), edited(foreign, image), *ratios)


@torch.no_grad()
def times(model: nn.Module, foreign: Foreign, image: Tensor) -> list[float]:
    """Of a pass that is captured, of one that is read as well, and of one watched, in forwards.

    What is short is measured more often.
    """
    start = time.process_time()
    model(image)
    rounds = min(12, max(3, int(0.6 / (time.process_time() - start + 1e-3))))
    alone, *others = processor_seconds(
        lambda: model(image),
        lambda: run(foreign, image),
        lambda: [one.value for one in run(foreign, image).activations.values()],
        lambda: watched(model, image),
        rounds=rounds,
    )
    return [one / alone for one in others]


def redrawn(model: nn.Module) -> nn.Module:
    """Weights that start at nothing, so that a block hands on its input only, drawn like others."""
    with torch.no_grad():
        for one in model.parameters():
            if one.numel() > 1 and one.min() == one.max() and float(one.abs().max()) < 0.1:
                one.copy_(0.1 * torch.randn_like(one))
    return model


def compared(model: nn.Module, found: Found, image: Tensor) -> tuple[tuple[int, int], tuple[str, ...]]:
    """How many instances of timm's gates hold a gate of their kind, and the gates in no such instance."""
    ran = {one.name for one in watched(model, image).runs}
    truth = {name: kinds for name, part in model.named_modules() if name in ran and (kinds := expected(part))}
    hits = [
        name for name, kinds in truth.items() if any(g.kind in kinds and within(g, name) for g in found.gates)
    ]
    missed = sorted(set(truth) - set(hits))
    if missed:
        sys.stderr.write(f"missed: {missed[:3]}\n")
    outside = tuple(g.module for g in found.gates if not any(within(g, name) for name in truth))
    return (len(hits), len(truth)), outside


def within(gate, name: str) -> bool:
    return any(f"{module}.".startswith(f"{name}.") for module in (gate.module, gate.applied_to))


def agreeing(model: nn.Module, image: Tensor, seen: Run) -> tuple[int, int]:
    """How many of the maps timm itself hands out equal one of the layers."""
    if not hasattr(model, "forward_intermediates"):
        return 0, 0
    with torch.no_grad():
        theirs = model.forward_intermediates(image, intermediates_only=True, output_fmt="NCHW")
    ours = [rearrange(one.value, "b h w c -> b c h w") for one in seen.of(Kind.FEATURE_MAP)]
    same = [any(a.shape == b.shape and torch.allclose(a, b, atol=1e-4) for a in ours) for b in theirs]
    return sum(same), len(same)


def edited(foreign: Foreign, image: Tensor, most: int = 6) -> tuple[int, int]:
    """Change some gates, the first and the last among them, and release them again."""
    beside = (Kind.FEATURE_MAP, Kind.BRANCHES, Kind.VECTOR)
    gates = [one for one in foreign.stations if one.probe.kind not in beside]
    step = max(1, -(-len(gates) // most))
    chosen = [*gates[::step], *gates[-1:]]
    good = 0
    with torch.no_grad():
        before = foreign(image)
        for one in chosen:
            with hooked({one.probe: editing(lambda value: value * 0.3 + value.flip(1).exp())}):
                moved = foreign(image)
            good += not torch.equal(moved, before) and torch.equal(foreign(image), before)
            if torch.equal(moved, before):
                sys.stderr.write(f"not moved: {one.name}\n")
    return good, len(chosen)


def line(row: Row) -> str:
    kinds = Counter(f"{gate.kind} ({gate.activation})" for gate in row.found.gates)
    cells = (
        row.name,
        len(row.found.layers),
        ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "none",
        len(row.found.undecided),
        *("{} / {}".format(*one) for one in (row.agree, row.known)),
        len(row.invented),
        "{} / {}".format(*row.edits),
        *(f"{one:.2f}" for one in (row.capture, row.read, row.finder)),
    )
    return written(cells)


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--after", type=Path, help="a table whose rows are kept")
    asked = parser.parse_args()
    torch.set_num_threads(choose_threads())
    rows = {cells[0]: cells for cells in read(asked.after)} if asked.after else {}
    for name in asked.names or [name for name in MODELS if name not in rows]:
        row = measured(name)
        rows[name] = next(cells_in(line(row)))
        sys.stderr.write(line(row))
        if row.invented:
            sys.stderr.write(f"{name} invented: {row.invented[:3]}\n")
    sys.stdout.write(written(HEAD) + "|" + "---|" * len(HEAD) + "\n")
    sys.stdout.writelines(map(written, rows.values()))
    sys.stdout.write(summary([dict(zip(HEAD, cells, strict=True)) for cells in rows.values()]))


if __name__ == "__main__":
    main()
