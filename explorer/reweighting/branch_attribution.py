"""How much of a logit is owed to branch weights, or to whole branches: Captum's layer methods at probes."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from explorer.attribution.methods.case import wanting
from explorer.capture import hooked
from explorer.engine.late_imports import captum
from models.probe import Probe

AT_ONCE = 4  # steps of a path in one pass


@contextmanager
def batch_first(probe: Probe) -> Iterator[nn.Module]:
    """A module the probed tensor passes in the axes of its kind, the batch first, as Captum needs it."""
    through = nn.Identity()

    def detour(_probe: Probe, _args: tuple, value):
        return probe.native(through(probe.canonical(value)))

    with hooked({probe: detour}):
        yield through


def gradient_x_share(model: nn.Module, image: Tensor, probe: Probe, target: int) -> Tensor:
    """The probed tensor times the gradient of the logit, in the axes of its kind `[1, branches, ...]`."""
    with batch_first(probe) as layer:
        made = captum.LayerGradientXActivation(model, layer).attribute(wanting(image), target)
    return made.detach()


def integrated_share(
    model: nn.Module, image: Tensor, probe: Probe, target: int, baseline: Tensor, steps: int = 20
) -> Tensor:
    """The same, integrated from what the probe sees of the baseline; it adds up to what that changes."""
    with batch_first(probe) as layer:
        made = captum.LayerIntegratedGradients(model, layer).attribute(
            image, baseline, target, n_steps=steps, internal_batch_size=AT_ONCE
        )
    return made.detach()


def by_branch(made: Tensor) -> list[float]:
    """Summed over all but the branches."""
    return made[0].flatten(start_dim=1).sum(dim=1).tolist()
