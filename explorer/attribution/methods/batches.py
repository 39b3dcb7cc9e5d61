"""How many images a method asks a model about in one call.

Many at once are quicker, by two fifths where the last maps are small; few can be stopped sooner. What
decides is the model's own work, not the speed of this machine, so that everybody gets the same numbers.
"""

from collections.abc import Callable
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from models.costs import Counter

MULTIPLY_ADDS = 4e9  # in one call without gradients: a tenth of a second on one core
LEAST, MOST = 2, 32  # even of large models two take a sixth less time than one and one

known: WeakKeyDictionary[nn.Module, dict[tuple[torch.Size, str], int]] = WeakKeyDictionary()


def images_at_once(
    network: nn.Module, image: Tensor, behind: str = "", rest: Callable[[], object] | None = None
) -> int:
    """How many of `image` `[1, 3, h, w]` go into one call; counted in a pass of its own the first time.

    rest: runs what is behind a layer, where a call does no more than that.
    """
    works = known.setdefault(network, {})
    work = image.shape, behind
    if work not in works:
        try:
            with torch.inference_mode(False), torch.no_grad(), Counter() as counter:
                rest() if rest else network(image)
        except (MemoryError, RuntimeError):
            return 1  # what asks next meets the same and says so
        works[work] = counter.flops // 2
    return max(LEAST, min(MOST, int(MULTIPLY_ADDS // max(1, works[work]))))
