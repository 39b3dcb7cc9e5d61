"""A forward pass on a graphics card: `python -m benchmarks.graphics_card`, a table in milliseconds.

Beside each time stands its floor: what the operations take at the card's peak, and what the bytes take at
the rate of its memory, where every tensor that an operation makes is written once and read once. What is
fused can be below the second. Peaks are NVIDIA's, without sparsity (H100 and H200 SXM, TF32 off).
"""

import copy
import statistics
import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn

from models import card, create
from models.costs import block_costs

MODELS = ("vip_s7", "mixer_b16", "fasternet_l", "efficientnet_lite0")
BATCHES = (1, 8, 64)
OPERATIONS = {torch.float32: 67e12, torch.bfloat16: 989e12}  # a second
BYTES = {"H200": 4.8e12, "H100": 3.35e12}  # a second
COLUMNS = ("model", "numbers", "batch", "as it is", "graph", "operations", "bytes", "graph / floor")
HEADER = f"| {' | '.join(COLUMNS)} |\n" + "|---" * len(COLUMNS) + "|"


def seconds(call: Callable[[], object], repeats: int = 30, rounds: int = 7) -> float:
    """Median over rounds of the seconds one of `repeats` calls takes, by the card's own clock."""
    call()
    taken = []
    for _ in range(rounds):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(repeats):
            call()
        end.record()
        torch.cuda.synchronize()
        taken.append(start.elapsed_time(end) / 1000 / repeats)
    return statistics.median(taken)


def recorded(model: nn.Module, image: Tensor) -> tuple[torch.cuda.CUDAGraph, Tensor]:
    """A pass as a CUDA graph, and where its logits appear."""
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(3):
            model(image)
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        logits = model(image)
    return graph, logits


def floors(name: str, numbers: torch.dtype, batch: int) -> tuple[float, float]:
    """Seconds of the operations, and of the bytes."""
    costs, width = block_costs(name), numbers.itemsize
    card_name = torch.cuda.get_device_name()
    rate = next((rate for known, rate in BYTES.items() if known in card_name), BYTES["H100"])
    operations = 2 * batch * sum(block.multiply_adds for block in costs)
    made = batch * sum(block.bytes for block in costs) / 4 * width  # counted in single precision
    weights = width * sum(block.parameters for block in costs)
    return operations / OPERATIONS[numbers], (weights + 2 * made) / rate


@torch.inference_mode()
def row(name: str, numbers: torch.dtype, batch: int) -> str:
    """One line of the table; the graph's logits are those of the pass, and near those of the processor."""
    model = create(name)
    sides = card(name).preprocess.shape
    image = torch.randn(batch, 3, *sides, generator=torch.Generator().manual_seed(0))
    expected = model(image[:1])
    placed, there = copy.deepcopy(model).to("cuda", numbers), image.to("cuda", numbers)
    graph, logits = recorded(placed, there)
    graph.replay()
    plain = placed(there)
    torch.testing.assert_close(logits, plain, rtol=2e-2, atol=2e-2 * float(expected.abs().max()))
    off = float((plain[:1].float().cpu() - expected).abs().max() / expected.abs().max())
    if off > (1e-4 if numbers == torch.float32 else 0.1):
        raise SystemExit(f"{name} in {numbers} is {off:.1%} of its largest logit off the processor's.")
    eager, replayed = seconds(lambda: placed(there)), seconds(graph.replay)
    operations, moved = floors(name, numbers, batch)
    told = [f"{1000 * one:.3f}" for one in (eager, replayed, operations, moved)]
    kind = str(numbers).removeprefix("torch.")
    cells = [name, kind, str(batch), *told, f"{replayed / max(operations, moved):.1f}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    if not torch.cuda.is_available():
        raise SystemExit("There is no graphics card that PyTorch can use here.")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    machine = f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}"
    sys.stdout.write(f"{machine}; milliseconds\n\n{HEADER}\n")
    for name in MODELS:
        for numbers in OPERATIONS:
            for batch in BATCHES:
                sys.stdout.write(row(name, numbers, batch) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
