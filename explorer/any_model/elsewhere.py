"""Models by where they are: `module:function` in Python, `timm:hf-hub:owner/name` on the Hub."""

import re
import sys
from importlib import import_module
from pathlib import Path

from torch import nn

from explorer.any_model.adding import add
from explorer.any_model.timm_models import HUB, timm
from explorer.errors import ChoiceError
from models.registry import UnknownModelError

WHERE = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)")


def is_elsewhere(name: str) -> bool:
    """Whether a name says where a model is, instead of being one that is listed."""
    return name.startswith(HUB) or (not name.startswith("timm:") and bool(WHERE.fullmatch(name)))


def fetched(name: str) -> None:
    """Build the model and let it be known by its name. Raises ChoiceError where it is not there."""
    if name.startswith(HUB):
        add(of_hub(name), name, family="timm")
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


def of_hub(name: str) -> nn.Module:
    """A model of the Hub with the weights that lie there; fetched now."""
    try:
        return timm().create_model(name.removeprefix("timm:"), pretrained=True)
    except UnknownModelError as error:
        raise ChoiceError(str(error)) from error
    except (OSError, ValueError, RuntimeError) as error:
        raise ChoiceError(f"{name} could not be fetched: {str(error).splitlines()[0]}") from error
