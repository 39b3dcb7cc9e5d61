"""The model somebody wrote, where another form of it is given, and whether it can be worked with."""

from pickle import PicklingError

import torch
from torch import nn

from explorer.any_model.trials import REFUSALS
from explorer.engine.twins import twin_of
from explorer.errors import ChoiceError


def original(model: nn.Module) -> nn.Module:
    """What `torch.compile` was given, which has the same weights; else the model itself.

    Raises ChoiceError for what TorchScript compiled, and for what cannot be copied, as long work needs.
    """
    found = getattr(model, "_orig_mod", model)
    if isinstance(found, torch.jit.ScriptModule):
        raise ChoiceError("TorchScript cannot be looked into; give the model it was made of.")
    try:
        twin_of(found)
    except (*REFUSALS, PicklingError) as error:
        raise ChoiceError(f"The model cannot be copied, which long work needs: {error}.") from error
    return found
