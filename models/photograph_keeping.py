"""What is kept of a training on photographs: weights in half precision, and what they reach."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from models.checkpoint_facts import facts_of
from models.photograph_report import report
from models.photograph_training import Training, train
from models.photographs import Photographs, cifar10, tiny_imagenet
from models.registry import card
from models.weights import in_half
from models.whole_files import save_tensors


@torch.no_grad()
def met_halfway(model: nn.Module, begun: Path) -> nn.Module:
    """The mean of weights and those they began with, which is often better than both.

    Wortsman et al., Model soups, 2022, https://arxiv.org/abs/2203.05482.
    """
    for key, one in load_file(begun).items():
        own = model.state_dict()[key]
        if own.is_floating_point():
            own.lerp_(one.to(own), 0.5)
    return model


def write(model: nn.Module, run: Training, test: Photographs, out: Path) -> None:
    """Calibrate, measure and save a trained model; what is measured is what is kept, in half precision."""
    if run.begin and run.halfway:
        model = met_halfway(model.cpu(), run.begin)
    model.cpu().load_state_dict(in_half(model.state_dict()))
    found = report(model, test, card(run.name).photographs.size)
    facts = {
        "name": run.name,
        "device": run.device,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "pictures": run.step * run.recipe.batch,
        "recipe": asdict(run.recipe),
        **asdict(found),
    }
    if run.begin:
        facts["began_with"] = {key: facts_of(run.begin)[key] for key in ("device", "pictures", "recipe")}
        facts["halfway"] = run.halfway
    kept = in_half(model.state_dict())
    save_tensors(kept, out / f"{run.name}.cifar10.safetensors", {"mixscope": json.dumps(facts)})


def train_from_files(run: Training, data: Path, more: Path | None, out: Path) -> None:
    """Train on the pictures that lie there, and keep the average of the weights in half precision.

    more: Tiny ImageNet beside CIFAR-10.
    """
    own, test = cifar10(data, "train"), cifar10(data, "test")
    others = tiny_imagenet(more) if more else None
    write(train(run, own, others, test), run, test, out)
