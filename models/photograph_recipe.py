"""How a nano is trained on photographs: what is done to the pictures and the parameters, and the loss."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.muon import Muon
from models.photographs import NONE


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is done to the pictures and to the parameters."""

    epochs: int = 20  # of `pictures` pictures
    pictures: int = 50_000
    cooldown: float = 0.3  # share of the epochs over which the rate falls to zero
    batch: int = 128
    familiar: int = 20  # of a batch, from Tiny ImageNet's classes that are one of the ten
    foreign: int = 14  # of a batch, from those that are none
    foreign_weight: float = 0.5
    matrices: float = 0.02  # rate of Muon
    convolutions: bool = False  # Muon for these too, but for the stem and those of one channel each
    rest: float = 2e-3  # rate of AdamW, for what is no matrix inside; a tenth of it for S2-MLPv2's gates
    decay: float = 0.05
    smoothing: float = 0.05  # of the labels
    cutout: float = 0.5  # share of pictures
    average: float = 0.998  # of the weights, per step
    seed: int = 0
    teachers: tuple[str, ...] = ()  # nanos whose probabilities are asked for beside the labels
    taught: float = 0.7  # share of those in what is asked for
    half: bool = True  # compute in bfloat16, twice as fast for most where the processor has it

    @classmethod
    def of_batch(cls, batch: int, share: float = 1.0, **more: Any) -> "Recipe":
        """The recipe for another batch: the average spans as many pictures, Adam's rate grows as its root.

        share: of all rates.
        """
        times = batch / cls.batch
        return cls(
            batch=batch,
            familiar=round(times * cls.familiar),
            foreign=round(times * cls.foreign),
            rest=share * cls.rest * times**0.5,
            matrices=share * cls.matrices,
            average=cls.average**times,
            **more,
        )

    @property
    def steps(self) -> int:
        return self.epochs * self.per_epoch

    @property
    def per_epoch(self) -> int:
        return self.pictures // self.batch

    def rate(self, step: int) -> float:
        """The share of the full rate at a step: warm up, stay, fall to zero."""
        falling = (self.steps - step) / (self.cooldown * self.steps)
        return min(1.0, (step + 1) / 200) * min(1.0, max(0.0, falling))


def optimisers(model: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside, AdamW for the rest; convolutions are with the rest unless asked."""
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    gates: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        convolves = parameter.ndim == 4 and parameter.shape[1] > 1
        mixes = parameter.ndim == 2 or (recipe.convolutions and convolves)
        inside = mixes and not name.startswith(("head", "stem"))
        gate = "split_attention.reweight" in name
        (gates if gate else matrices if inside else rest).append(parameter)
    adam = partial(torch.optim.AdamW, weight_decay=recipe.decay, betas=(0.9, 0.98))
    chosen: list[torch.optim.Optimizer] = [adam(rest, lr=recipe.rest)]
    chosen += [adam(gates, lr=recipe.rest / 10)] if gates else []
    chosen += [Muon(matrices, lr=recipe.matrices, weight_decay=recipe.decay)] if matrices else []
    for optimiser in chosen:
        for group in optimiser.param_groups:
            group["full"] = group["lr"]
    return chosen


def loss_of(logits: Tensor, labels: Tensor, recipe: Recipe, taught: Tensor | None = None) -> Tensor:
    """Cross entropy of what is known; for what is none of it, how far it is from preferring no class.

    taught: probabilities `[b, classes]` of the teachers, mixed with the labels.
    """
    none = (labels == NONE).float()
    loss = functional.cross_entropy(logits, labels, ignore_index=NONE, label_smoothing=recipe.smoothing)
    if taught is not None:
        known = (labels != NONE).float()
        asked = functional.cross_entropy(logits, taught, reduction="none")
        asked = (asked * known).sum() / known.sum().clamp(min=1)
        loss = recipe.taught * asked + (1 - recipe.taught) * loss
    preferred = -logits.log_softmax(dim=1).mean(dim=1)
    # Without asking how many there are: on a graphics card every such question waits for the card.
    return loss + recipe.foreign_weight * (preferred * none).sum() / none.sum().clamp(min=1)
