"""Image classifiers written to be looked inside."""

# Importing a family registers its variants.
from models import (  # noqa: F401
    as_mlp,
    efficientnet_lite,
    fasternet,
    mlp_mixer,
    mobilevit,
    s2_mlp,
    s2_mlp_v2,
    vision_permutator,
)

# These two let single blocks and other image sizes be asked for by name.
from models import single as _single  # noqa: F401
from models import sizes as _sizes  # noqa: F401
from models.registry import ModelCard, card, create, list_models

__all__ = ["ModelCard", "card", "create", "list_models"]
