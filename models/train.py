"""Train a nano model: `python -m models.train vip_nano`, on scenes unless `--on cifar10` is given.

Every picture is fresh: epoch after epoch the seeds run on, and the held-out seeds are never among them.
The same command on the same machine gives the same file. What was reached is written into the file
itself, and `assets/weights/README.md` is made from what the files say.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, IterableDataset
from tqdm import tqdm

from models import card, create, scenes
from models.checkpoint_table import renew
from models.deleted_cells import some_deleted
from models.gate_spread import penalty, spreads
from models.photograph_keeping import train_from_files
from models.photograph_recipe import Recipe
from models.photograph_training import Training
from models.registry import ASSETS
from models.weights import in_half
from models.whole_files import save_tensors


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long and how fast to train. The defaults made the bundled files."""

    epochs: int = 24
    pictures: int = 24_000  # per epoch, all of them new
    batch: int = 128
    peak: float = 2e-3  # the highest learning rate, after a tenth of the steps
    decay: float = 0.05  # weight decay of AdamW
    seed: int = 0
    half: bool = True  # compute in bfloat16, twice as fast where the processor has it
    spread: float = 0.0  # weight of the penalty on gates' logits far apart, see `models.gate_spread`
    deleted: bool = False  # half of the pictures lack a cell, see `models.deleted_cells`
    device: str = "cpu"

    @property
    def steps(self) -> int:
        return self.epochs * (self.pictures // self.batch)


class FreshScenes(IterableDataset):
    """Batches of scenes nobody has seen, drawn beside the training."""

    def __init__(self, schedule: Schedule, size: int) -> None:
        self.schedule = schedule
        self.size = size

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for step in range(self.schedule.steps):
            start = scenes.TRAINING_SEED * (1 + self.schedule.seed) + step * self.schedule.batch
            pictures, labels = scenes.batch(range(start, start + self.schedule.batch), self.size)
            yield torch.from_numpy(pictures), torch.from_numpy(labels)


def as_image(pictures: Tensor) -> Tensor:
    """uint8 `[b, 3, h, w]` -> the image the nano models see, in [-1, 1]; their card says the same."""
    return pictures.float() / 127.5 - 1


def train(name: str, schedule: Schedule, begin: Path | None = None) -> nn.Module:
    """A network trained by a schedule from nothing, or from the weights of a file."""
    torch.manual_seed(schedule.seed)
    model = create(name, begin, seed=schedule.seed).train().to(schedule.device)
    dice = torch.Generator().manual_seed(schedule.seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=schedule.peak, weight_decay=schedule.decay)
    rate = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, schedule.peak, total_steps=schedule.steps, pct_start=0.1
    )
    batches = DataLoader(FreshScenes(schedule, card(name).image_size), batch_size=None, num_workers=1)
    bar = tqdm(batches, total=schedule.steps, unit="step", desc=name, mininterval=2)
    with spreads(model) as found:
        for pictures, labels in bar:
            images = some_deleted(as_image(pictures), dice) if schedule.deleted else as_image(pictures)
            images, labels = images.to(schedule.device), labels.to(schedule.device)
            with torch.autocast(torch.device(schedule.device).type, torch.bfloat16, enabled=schedule.half):
                logits = model(images)
            loss = cross_entropy(logits.float(), labels) + penalty(found, schedule.spread).to(labels.device)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            rate.step()
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    return model.eval()


@torch.no_grad()
def confusion(model: nn.Module, size: int, seeds: range = scenes.HELD_OUT) -> Tensor:
    """Counts of held-out scenes `[true class, told class]`."""
    counts = torch.zeros(len(scenes.CLASSES), len(scenes.CLASSES), dtype=torch.long)
    for start in range(seeds.start, seeds.stop, 100):
        pictures, labels = scenes.batch(range(start, min(start + 100, seeds.stop)), size)
        told = model(as_image(torch.from_numpy(pictures))).argmax(dim=1)
        counts = counts.index_put((torch.from_numpy(labels), told), torch.tensor(1), accumulate=True)
    return counts


def write(model: nn.Module, name: str, schedule: Schedule, path: Path) -> None:
    """Save the model in half precision with what is known of it, then renew the table beside it."""
    halves = in_half(model.cpu().state_dict())
    model.load_state_dict(halves)  # what is measured is what is kept
    counts = confusion(model, card(name).image_size)
    facts = {
        "name": name,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "accuracy": float(counts.trace() / counts.sum()),
        "per_class": (counts.diag() / counts.sum(dim=1)).tolist(),
        "schedule": asdict(schedule),
    }
    save_tensors(halves, path, {"mixscope": json.dumps(facts)})
    renew(path.parent)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("name", help="a nano model, for example vip_nano")
    ask.add_argument("--on", choices=("scenes", "cifar10"), default="scenes")
    ask.add_argument("--data", type=Path, help="CIFAR-10: a zip, a folder of class folders, or its batches")
    ask.add_argument("--more", type=Path, help="Tiny ImageNet, a zip or a folder")
    ask.add_argument("--batch", type=int, default=Recipe.batch, help="photographs in a step")
    ask.add_argument("--convolutions", action="store_true", help="Muon for convolutions too")
    ask.add_argument("--share", type=float, default=1.0, help="of the usual rates")
    ask.add_argument("--cooldown", type=float, default=Recipe.cooldown, help="share of epochs, rate falling")
    ask.add_argument("--begin", type=Path, help="weights of this nano to begin with")
    ask.add_argument("--halfway", action="store_true", help="keep the mean of these and what they become")
    ask.add_argument("--teachers", nargs="*", default=(), help="nanos that teach it, with their weights here")
    ask.add_argument("--device", default="cpu", help="where it is trained, for example cuda")
    ask.add_argument("--spread", type=float, default=0.0, help="penalty on saturated gates, of scenes")
    ask.add_argument("--work", type=Path, default=Path("runs/cifar10"), help="checkpoints, to go on from")
    ask.add_argument("--deleted", action="store_true", help="half of the scenes lack one of 4 x 4 cells")
    ask.add_argument("--peak", type=float, default=Schedule.peak, help="highest learning rate, of scenes")
    ask.add_argument("--keep", type=Path, help="a folder for the weights of every epoch, of photographs")
    ask.add_argument("--epochs", type=int, default=Schedule.epochs)
    ask.add_argument("--pictures", type=int, default=Schedule.pictures, help="new pictures per epoch")
    ask.add_argument(
        "--half",
        action=argparse.BooleanOptionalAction,
        default=Schedule.half,
        help="compute in bfloat16; slower where the processor has to imitate it",
    )
    ask.add_argument("--seed", type=int, default=Schedule.seed)
    ask.add_argument("--threads", type=int, default=1)
    ask.add_argument("--out", type=Path, default=ASSETS / "weights")
    args = ask.parse_args()
    torch.set_num_threads(args.threads)
    if args.on == "cifar10":
        if args.data is None:
            ask.error("--on cifar10 needs --data: the zip, a folder of class folders, or the python batches.")
        taken = ("epochs", "seed", "half", "convolutions", "cooldown")
        chosen = {name: getattr(args, name) for name in taken}
        recipe = Recipe.of_batch(args.batch, args.share, teachers=tuple(args.teachers), **chosen)
        run = Training(args.name, recipe, args.work, args.device, args.begin, args.halfway, args.keep)
        train_from_files(run, args.data, args.more, args.out)
        renew(args.out)
        return
    named = ("epochs", "pictures", "seed", "half", "spread", "device", "deleted", "peak")
    schedule = Schedule(**{name: getattr(args, name) for name in named})
    trained = train(args.name, schedule, args.begin)
    write(trained, args.name, schedule, args.out / f"{args.name}.safetensors")


if __name__ == "__main__":
    main()
