"""One row of the table of models, and its weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from torch import Tensor, nn

from models.preprocess import PHOTOGRAPHS, Preprocess
from models.sources import Bundled, Source


@dataclass(frozen=True, kw_only=True)
class Weights:
    """One trained set of parameters that can be asked for by name."""

    source: Source  # where the file is, in any published key layout of the family
    labels: str  # file in assets/labels, one class a line
    preprocess: Preprocess
    num_classes: int | None = None  # where the head has another number than the card says
    accuracy: float | None = None  # of the likeliest class on ImageNet, in percent, as published
    licence: str = ""  # as published

    @property
    def bundled(self) -> bool:
        """Whether they come with the project, and need not be fetched."""
        return isinstance(self.source, Bundled)


@dataclass(frozen=True)
class Released:
    """ImageNet weights somebody has published, and what they say of them."""

    source: Source
    accuracy: float  # of the likeliest class, in percent
    licence: str


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """One row of the model menu."""

    name: str  # "vip_s7", as users type it
    family: str  # "Vision Permutator", as papers print it
    paper: str  # arXiv abs URL
    source: str  # official code the weights and the layout follow
    image_size: int  # side of the square input, in pixels
    num_classes: int
    step: int  # image sides are multiples of this many pixels; 0 where only `image_size` fits
    build: Callable[..., nn.Module]  # a backbone's takes another number of classes as `num_classes`
    published: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]  # foreign key layouts -> our own
    preprocess: Preprocess  # of the paper; used for random weights and for a file of the user's
    photographs: Preprocess = PHOTOGRAPHS  # of a nano that learns photographs
    labels: str = "imagenet1k"
    weights: Mapping[str, Weights] = field(default_factory=lambda: MappingProxyType({}))
    layouts: Mapping[str, Preprocess] = field(default_factory=lambda: MappingProxyType({}))
    remark: str = ""  # what to say of random weights, where it is more than that
    mixing: str = ""  # one sentence for a family without split attention: what it does instead
    unpublished: str = ""  # why there are no ImageNet weights to fetch, and what to do instead
    classes: tuple[str, ...] = ()  # their names, where no file in assets/labels holds them
    usual: str = ""  # weights to take where none are asked for; "" for the first of `weights`
    own: Callable[[], nn.Module] | None = None  # the model itself, where it came with its weights: `OWN`
