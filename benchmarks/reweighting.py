"""The reweighting lab: what its maps and its table cost, beside plain passes of the same model."""

import torch

from benchmarks.timing import Row, medians
from explorer.capture import module_of, run
from explorer.engine.device import choose_threads, keep_freed_memory
from explorer.reweighting.ablation import knock_out
from explorer.reweighting.branch_weights import blended_probes, branch_weights, contributions
from models import create


def reweighting() -> list[Row]:
    torch.set_num_threads(choose_threads())
    keep_freed_memory()
    return [signed_maps(), table()]


def signed_maps() -> Row:
    model, image = create("vip_s7").requires_grad_(False), torch.rand(1, 3, 224, 224)
    names = blended_probes(model)

    def plain() -> None:
        leaf = image.clone().requires_grad_()
        torch.autograd.grad(model(leaf)[0, 0], leaf)

    def maps() -> None:
        found = run(model, image, target=0, gradients_at=names)
        for name in names:
            contributions(found, module_of(name))

    once, ours = medians(plain, maps, rounds=9)
    return Row(
        "signed maps of all blocks of ViP-S/7 / forward + backward",
        f"{ours / once:.2f} ({1000 * once:.0f} ms)",
        "at most 1.3",
    )


def table() -> Row:
    model, image = create("vip_s7"), torch.rand(1, 3, 224, 224)
    cells = sum(len(block.branches) for block in branch_weights(run(model, image)))

    def plain() -> None:
        with torch.no_grad():
            model(image)

    once, ours = medians(plain, lambda: list(knock_out(model, image, target=0)), rounds=3)
    return Row(
        f"knock-out table of ViP-S/7 / {cells} forward passes",
        f"{ours / once / cells:.2f} ({ours:.1f} s)",
        "at most 0.45",
    )
