"""What a model costs: parameters, multiply-adds and memory for one picture, counted without computing."""

from collections import Counter as Tally
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache, partial

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from models.probe import Probe
from models.registry import card

OPENED = ("stages", "blocks")  # modules of these names are looked into; what they hold stands for itself


class Counter(TorchDispatchMode):
    """Adds up what PyTorch's own formulas say of every operation of this thread, and the bytes it makes.

    `FlopCounterMode` would do, but it listens to the modules of all threads, and so gets in the way of
    whoever is computing gradients at that moment. Enter it outside of `torch.inference_mode`, in which
    PyTorch shows it whole layers that no formula knows.
    """

    flops = 0
    bytes = 0  # of new tensors; a view of another one takes none

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula:
            self.flops += formula(*args, **(kwargs or {}), out_val=made)
        results = made if isinstance(made, tuple) else (made,)
        for result, declared in zip(results, func._schema.returns, strict=False):
            if declared.alias_info is None and isinstance(result, Tensor):
                self.bytes += result.numel() * result.element_size()
        return made


@lru_cache(maxsize=256)
def multiply_adds(name: str, shape: tuple[int, int] | None = None) -> int:
    """Of convolutions and matrix products, for one image of a height and width, or of the model's own."""
    return sum(block.multiply_adds for block in block_costs(name, shape))


@dataclass(frozen=True)
class BlockCost:
    """What one block costs for one image."""

    block: str  # the module, "stages.1.blocks.0"; "stem" is all before the first, "head" all after the last
    parameters: int
    multiply_adds: int
    bytes: int  # of all tensors its operations make


@lru_cache(maxsize=256)
def block_costs(name: str, shape: tuple[int, int] | None = None) -> tuple[BlockCost, ...]:
    """Every block in the order of the pass; parameters and multiply-adds add up to those of the model.

    shape: height and width of the image in pixels; the model's own where none is given.
    """
    with torch.inference_mode(False), torch.device("meta"), torch.no_grad():
        model = card(name).build().eval()
        image = torch.empty(1, 3, *(shape or card(name).preprocess.shape))
        flops: Tally[str] = Tally()
        made: Tally[str] = Tally()
        with Counter() as counter:

            def passed(block: str) -> None:
                """What was counted since the last call was for `block`."""
                flops[block] += counter.flops
                made[block] += counter.bytes
                counter.flops = counter.bytes = 0

            follow(model, image, passed)
    held = {block: sum(map(size, modules)) for block, modules in blocks(model).items()}
    held[next(iter(held))] += sum(
        one.numel() for one in model.parameters(recurse=False)
    )  # of the model itself
    return tuple(BlockCost(block, held[block], flops[block] // 2, made[block]) for block in held)


def size(module: nn.Module) -> int:
    """Number of parameters."""
    return sum(parameter.numel() for parameter in module.parameters())


def blocks(model: nn.Module) -> dict[str, list[nn.Module]]:
    """The parts of a model in the order of the pass: a stem, each block and each merging, a head.

    What stands before the first block is the stem, what stands after the last is the head.
    """
    found: dict[str, list[nn.Module]] = {}
    inside = False
    for name, module in leaves(model):
        named = name.partition(".")[0] in OPENED
        inside = inside or named
        found.setdefault(name if named else "head" if inside else "stem", []).append(module)
    return found or {"head": []}


def leaves(module: nn.Module, name: str = "") -> list[tuple[str, nn.Module]]:
    """What a model is made of, down to its blocks; what does nothing is left out."""
    found = []
    for child_name, child in module.named_children():
        whole = f"{name}.{child_name}".strip(".")
        if child_name in OPENED or name.rpartition(".")[2] == "stages":
            found += leaves(child, whole) or [(whole, child)]
        elif not isinstance(child, Probe | nn.Identity):
            found.append((whole, child))
    return found


def follow(model: nn.Module, image: Tensor, passed: Callable[[str], None]) -> None:
    """One pass; `passed(block)` is called whenever the pass leaves a block for the next, and at its end.

    What a model does between two blocks counts to the one before.
    """
    now = [next(iter(blocks(model)))]

    def entered(_module: nn.Module, _args: tuple, *, block: str) -> None:
        passed(now[0])
        now[0] = block

    with ExitStack() as hooks:
        for block, modules in blocks(model).items():
            for module in modules:
                hook = module.register_forward_pre_hook(partial(entered, block=block))
                hooks.callback(hook.remove)
        model(image)
    passed(now[0])
