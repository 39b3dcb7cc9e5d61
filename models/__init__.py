"""Image classifiers written to be looked inside."""

from models import vision_permutator  # noqa: F401  (importing registers its variants)
from models.registry import ModelCard, card, create, list_models

__all__ = ["ModelCard", "card", "create", "list_models"]
