"""What a nano that has learned photographs reaches on CIFAR-10's test set, and how sure it rightly is.

Calibration: the expected calibration error over fifteen bins of equal width, and one temperature the
logits are divided by, both of Guo et al., On Calibration of Modern Neural Networks, 2017,
https://arxiv.org/abs/1706.04599. The temperature goes into the head, so that probabilities are calibrated
wherever the weights are used. Its error is measured on each half of the test pictures with the temperature
that fits the other half.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.augmentation import enlarged
from models.photographs import Photographs

BINS = 15
AT_ONCE = 250


@dataclass(frozen=True, kw_only=True)
class Report:
    """Shares in [0, 1]."""

    accuracy: float
    per_class: tuple[float, ...]  # recall of each class
    confusion: tuple[tuple[int, ...], ...]  # pictures by [true class][told class]
    ece: float  # expected calibration error of what is kept
    temperature: float  # what the logits were divided by
    ece_before: float  # of the logits as they were trained


@torch.no_grad()
def logits_of(model: nn.Module, photographs: Photographs, size: int) -> Tensor:
    """`[n, classes]`, of pictures as they are; computed where the model is."""
    device = next(model.parameters()).device
    batches = torch.from_numpy(photographs.pictures).split(AT_ONCE)
    return torch.cat([model.eval()(enlarged(batch.to(device), size)).cpu() for batch in batches])


def calibration_error(logits: Tensor, labels: Tensor) -> float:
    """How far confidence and accuracy are apart, averaged over bins of confidence by their pictures."""
    confidence, told = logits.softmax(dim=1).max(dim=1)
    bins = (confidence * BINS).long().clamp(max=BINS - 1)
    apart = (told == labels).double() - confidence.double()
    sums = torch.zeros(BINS, dtype=torch.double).index_add(0, bins, apart)
    return float(sums.abs().sum() / len(labels))


def temperature_of(logits: Tensor, labels: Tensor) -> float:
    """The temperature with the least cross entropy, to half a percent."""
    candidates = torch.logspace(-1, 1, 921, dtype=torch.double)
    losses = [float(functional.cross_entropy(logits.double() / one, labels)) for one in candidates]
    return float(candidates[losses.index(min(losses))])


@torch.no_grad()
def calibrated(head: nn.Module, temperature: float) -> None:
    """Divide the logits of a head by a temperature, for good."""
    for parameter in head.parameters():
        parameter.copy_(parameter / temperature)


def report(model: nn.Module, test: Photographs, size: int) -> Report:
    """What a model reaches on pictures it was not trained on; its head is calibrated on the way."""
    logits, labels = logits_of(model, test, size), torch.from_numpy(test.labels).long()
    counts = torch.zeros(logits.shape[1], logits.shape[1], dtype=torch.long)
    counts = counts.index_put((labels, logits.argmax(dim=1)), torch.tensor(1), accumulate=True)
    halves = torch.arange(len(labels)) % 2 == 0
    of_the_other = [temperature_of(logits[half], labels[half]) for half in (~halves, halves)]
    divided = logits / torch.where(halves, of_the_other[0], of_the_other[1])[:, None]
    temperature = temperature_of(logits, labels)
    calibrated(model.get_submodule("head"), temperature)
    return Report(
        accuracy=float(counts.trace() / counts.sum()),
        per_class=tuple((counts.diag() / counts.sum(dim=1)).tolist()),
        confusion=tuple(tuple(row) for row in counts.tolist()),
        ece=calibration_error(divided, labels),
        temperature=temperature,
        ece_before=calibration_error(logits, labels),
    )
