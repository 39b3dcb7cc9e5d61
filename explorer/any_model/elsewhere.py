"""Models by where they are: `module:function` in Python, `timm:hf-hub:owner/name` on the Hub."""

import re
import sys
from importlib import import_module
from pathlib import Path

from torch import nn

from explorer.any_model.adding import add, is_added
from explorer.any_model.hub_models import is_known, know
from explorer.any_model.timm_models import HUB
from explorer.errors import ChoiceError

WHERE = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)")


def is_elsewhere(name: str) -> bool:
    """Whether a name says where a model is, instead of being one that is listed."""
    return name.startswith(HUB) or (not name.startswith("timm:") and bool(WHERE.fullmatch(name)))


def is_here(name: str) -> bool:
    """Whether it has been fetched already."""
    return is_added(name) or is_known(name)


def fetched(name: str) -> None:
    """Let the model be known by its name. Raises ChoiceError where it is not there."""
    if name.startswith(HUB):
        know(name)
    else:
        add(called(name), name)


def called(name: str) -> nn.Module:
    """What a function of a module gives, the module being found from where Python was started."""
    match = WHERE.fullmatch(name)
    module, function = (match[1], match[2]) if match else ("", "")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        made = getattr(import_module(module), function)()
    except (ImportError, AttributeError, TypeError) as error:
        raise ChoiceError(f"{name} gives no model: {error}.") from error
    if not isinstance(made, nn.Module):
        raise ChoiceError(f"{name} gives {type(made).__name__}; it has to give an nn.Module.")
    return made
