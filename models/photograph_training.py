"""Train a nano on photographs: `python -m models.train vip_nano --on cifar10 --data cifar10.zip`.

A step sees CIFAR-10 and, with `--more`, Tiny ImageNet: its classes that are one of the ten under the same
names, and others that are none of them, for which the model is asked to prefer no class (Hendrycks et al.,
Deep Anomaly Detection with Outlier Exposure, 2019, https://arxiv.org/abs/1812.04606). After every epoch all
that is needed to go on is written beside the log, and the same command goes on there. The rate is constant
and falls linearly over the last epochs, so that more epochs can be asked for later.
"""

import json
import sys
import time
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from models.augmentation import augmented
from models.layers import channels_together
from models.photograph_recipe import Recipe, loss_of, optimisers
from models.photograph_report import logits_of
from models.photographs import CIFAR10, NONE, Photographs
from models.registry import card, create
from models.teachers import taught
from models.weights import in_half
from models.whole_files import save_tensors, written_whole

GATE_START = 1 / 64  # of S2-MLPv2's first gate layer, which takes a sum over all places
EARLY = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2)  # of the first epoch, where weights are kept on the way, too


def with_ten_classes(name: str) -> nn.Module:
    """The nano with a head for the ten, ready to train."""
    model = card(name).build(num_classes=len(CIFAR10))
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "split_attention.reweight.fc1" in key:
                parameter.mul_(GATE_START)  # so that no share is saturated at the start
    return model.train()


def accuracy(model: nn.Module, held_out: Photographs, size: int) -> float:
    """Share of held-out pictures told right."""
    told = logits_of(model, held_out, size).argmax(dim=1).numpy()
    return float((told == held_out.labels).mean())


@dataclass
class Training:
    """One run: the model, the average of its weights, the optimisers, and how far it is."""

    name: str
    recipe: Recipe
    folder: Path  # of the checkpoint and the log
    device: str = "cpu"
    begin: Path | None = None  # a bundled file to begin with, instead of random weights
    halfway: bool = False  # keep the mean of what it began with and what it became
    points: Path | None = None  # a folder for the weights as they were on the way, see `keep_point`

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(self.recipe.seed)
        self.model = channels_together(with_ten_classes(self.name).to(self.device))
        if self.begin:
            self.model.load_state_dict(load_file(self.begin))
        self.average = deepcopy(self.model)
        self.chosen = optimisers(self.model, self.recipe)
        self.teachers = [
            (create(name, "cifar10").requires_grad_(False).to(self.device), card(name).photographs.size)
            for name in self.recipe.teachers
        ]
        self.step = 0
        if self.checkpoint.exists():
            self.resume()
        elif self.weights_so_far.exists():
            self.resume_weights()

    @property
    def checkpoint(self) -> Path:
        return self.folder / f"{self.name}.state.pt"

    @property
    def weights_so_far(self) -> Path:
        """What travels from machine to machine: weights and their average in half precision, and the step."""
        return self.folder / f"{self.name}.so-far.safetensors"

    def resume_weights(self) -> None:
        """Go on from weights alone; the optimisers begin anew."""
        with safe_open(self.weights_so_far, "pt") as file:
            self.step = int(file.metadata()["step"])
            for part in ("model", "average"):
                own = getattr(self, part)
                own.load_state_dict({key: file.get_tensor(f"{part}.{key}") for key in own.state_dict()})

    def keep_weights(self) -> None:
        """Write `weights_so_far`."""
        kept = {
            f"{part}.{key}": one
            for part in ("model", "average")
            for key, one in getattr(self, part).state_dict().items()
        }
        save_tensors(in_half(kept), self.weights_so_far, {"step": str(self.step)})

    def keep_point(self) -> None:
        """Write the averaged weights as they are now; halfway through epoch one `epoch-00.50.safetensors`."""
        if self.points is None:
            return
        self.points.mkdir(parents=True, exist_ok=True)
        epoch = f"epoch-{self.step / self.recipe.per_epoch:05.2f}"
        facts = {"name": self.name, "step": self.step, "pictures": self.step * self.recipe.batch}
        kept = {key: one.cpu() for key, one in in_half(self.average.state_dict()).items()}
        save_tensors(kept, self.points / f"{epoch}.safetensors", {"mixscope": json.dumps(facts)})

    def resume(self) -> None:
        """Go on where the checkpoint was written."""
        state = torch.load(self.checkpoint, weights_only=True, map_location=self.device)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        for optimiser, kept in zip(self.chosen, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        self.step = state["step"]

    def keep(self, reached: float, seconds: float) -> None:
        """Write the checkpoint whole or not at all, and a line of the log."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.chosen],
            "step": self.step,
        }
        with written_whole(self.checkpoint) as partly:
            torch.save(state, partly)
        epoch = self.step // self.recipe.per_epoch
        line = {"epoch": epoch, "accuracy": reached, "seconds": seconds, "recipe": asdict(self.recipe)}
        with (self.folder / f"{self.name}.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")

    def advance(self, pools: list[Photographs], counts: list[int], size: int) -> Tensor:
        """One step; gives the loss. The same step of the same seed always sees the same pictures."""
        rng = np.random.default_rng([self.recipe.seed, self.step])
        random = torch.Generator(self.device).manual_seed(self.step + 1_000_003 * self.recipe.seed)
        parts = [pool.only(rng.integers(len(pool), size=n)) for pool, n in zip(pools, counts, strict=True)]
        pictures = torch.from_numpy(np.concatenate([part.pictures for part in parts])).to(self.device)
        labels = torch.from_numpy(np.concatenate([part.labels for part in parts])).to(self.device)
        for optimiser in self.chosen:
            optimiser.zero_grad()
            for group in optimiser.param_groups:
                group["lr"] = self.recipe.rate(self.step) * group["full"]
        image = augmented(pictures, size, self.recipe.cutout, random)
        image = image.contiguous(memory_format=torch.channels_last)
        with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.recipe.half):
            logits = self.model.train()(image)
        told = taught(self.teachers, image) if self.teachers else None
        loss = loss_of(logits.float(), labels, self.recipe, told)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        for optimiser in self.chosen:
            optimiser.step()
        self.step += 1
        self.average_in()
        return loss.detach()

    @torch.no_grad()
    def average_in(self) -> None:
        """Let the average follow the weights; quickly at first."""
        kept = min(self.recipe.average, (self.step + 1) / (self.step + 10))
        states = self.average.state_dict().values(), self.model.state_dict().values()
        for mean, now in zip(*states, strict=True):
            mean.lerp_(now, 1 - kept) if mean.is_floating_point() else mean.copy_(now)


def train(run: Training, own: Photographs, more: Photographs | None, test: Photographs) -> nn.Module:
    """Train to the end of the recipe, telling the accuracy after each epoch; gives the averaged weights."""
    recipe, size = run.recipe, card(run.name).photographs.size
    pools, counts = [own], [recipe.batch]
    if more is not None:
        pools += [more.only(more.labels != NONE), more.only(more.labels == NONE)]
        counts = [recipe.batch - recipe.familiar - recipe.foreign, recipe.familiar, recipe.foreign]
    started = time.monotonic()
    early = [0, *(round(share * recipe.per_epoch) for share in EARLY)]
    while run.step < recipe.steps:
        if run.step in early:
            run.keep_point()
        run.advance(pools, counts, size)
        if run.step % recipe.per_epoch == 0:
            reached = accuracy(run.average, test, size)
            run.keep(reached, time.monotonic() - started)
            run.keep_point()
            sys.stdout.write(f"{run.name} epoch {run.step // recipe.per_epoch}: {reached:.2%}\n")
            sys.stdout.flush()
    return run.average.eval()
