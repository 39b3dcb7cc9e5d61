"""Methods of others: any Python function of a model, an image and a class that gives a map."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from explorer.attribution.benchmark.trials import Explain
from explorer.errors import ChoiceError


def method_at(name: str) -> Explain:
    """The method `module:function`, the module being found from where Python was started.

    It is called with a model in eval mode, an image `[1, 3, h, w]` and the number of a class, and gives a map
    `[h, w]` of any size. Raises ChoiceError where there is none, or where it gives something else.
    """
    module, _, function = name.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        found = getattr(import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ChoiceError(f"{name} is no method: {error}.") from error

    def explain(model: nn.Module, image: Tensor, target: int) -> np.ndarray:
        made = found(model, image, target)
        values = np.asarray(made.detach().cpu() if isinstance(made, Tensor) else made, np.float32)
        if values.ndim != 2:
            raise ChoiceError(f"{name} gives {list(values.shape)}; a map has two axes, height and width.")
        return values

    return explain
