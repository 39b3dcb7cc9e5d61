"""What is known of a tensor while one pass is watched, and of the values that may turn out to be a gate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import NamedTuple
from weakref import ReferenceType, ref

from torch import Tensor

from explorer.any_model.places import Place


@dataclass(frozen=True)
class Use:
    """One product a gate goes into."""

    place: Place  # of the product
    part: int  # which argument is the gate
    other: int  # which argument is what it is applied to
    gate_shape: tuple[int, ...]
    other_shape: tuple[int, ...]
    result_shape: tuple[int, ...]
    live: bool  # whether what it is applied to depends on the picture
    matrix: bool  # a product of matrices, which sums over an axis
    branch: int | None = None  # the only branch of the gate that is used here
    axis: int | None = None  # of the branches in what all of them are applied to at once
    origin: int = -1  # of what it is applied to


@dataclass(eq=False)
class Candidate:
    """Values that become a gate when they multiply something."""

    place: Place  # where they are made, or where they enter a product
    activation: str  # what made them
    value: Tensor
    origin: int  # of what the activation was applied to
    live: bool
    axis: int | None = None  # that a softmax sums to one over
    made: int = 0  # by which call of the pass
    given: int | None = None  # the origin of the values themselves
    sources: frozenset[int] = frozenset()  # origins of what a fused step computes its shares from
    plain: bool = False  # nothing but the product tells that it is a gate
    entered: Place | None = None  # where what a softmax is of enters, if not at the place itself
    uses: list[Use] = field(default_factory=list)
    mixtures: list[Use] = field(default_factory=list)  # products with weights, a use once they are added up
    blended: Place | None = None  # where the products of all branches have been summed
    blended_shape: tuple[int, ...] = ()
    blended_origin: int = -1  # of what that gave

    @property
    def enters(self) -> Place:
        """Where what the activation is applied to is met."""
        return self.entered or replace(self.place, part=0)

    def is_changed(self, written: Mapping[int, int]) -> bool:
        """Whether the model writes later into what has to be kept to read the gate."""
        if not self.uses and self.blended_shape:
            return any(self.is_written(one, written) for one in self.sources)
        return self.is_written(self.origin if self.plain else self.given, written)

    def is_written(self, origin: int | None, written: Mapping[int, int]) -> bool:
        """Whether the model writes into values of an origin after the gate was made; unknown ones count."""
        return origin is None or origin < 0 or written.get(origin, -1) > self.made


Gates = tuple[Candidate, ...]
Blend = tuple[Candidate, frozenset[int]]


class Facts(NamedTuple):
    """Where the values of a tensor come from."""

    origin: int  # the same for all that are the same function, number by number, of the same values
    live: bool = False  # depends on the picture
    gates: Gates = ()  # whose values these are, moved, picked, or changed by a constant
    stats: frozenset[int] = frozenset()  # origins of what these are means, norms or sums of
    bent: str = ""  # the activation they passed last
    raised: Place | None = None  # where they were the powers of e, if that was it
    logged: Place | None = None  # what made them, where they are logarithms of shares
    response: str = ""  # "norm", or "response norm" once it is divided by its own mean
    blend: Blend | None = None  # which branches of a gate have been added up so far
    six: bool = False  # cut at 6, and after a division by 6 a hard sigmoid
    made: int = 0  # by which call of the pass
    views: frozenset[int] = frozenset()  # origins of what these may be a part of, in the same memory

    def but(self, **others) -> "Facts":
        """The same, with some things otherwise."""
        return self._replace(**others)


Shape = tuple[int, ...]
NOBODY: tuple[Callable[[], Tensor | None], Facts, Shape] = (lambda: None, Facts(-1), ())


class Ledger:
    """The facts of the tensors that are still there; keeps none of them alive."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[ReferenceType[Tensor], Facts, Shape]] = {}
        self.origins = count()
        self.calls = 0
        self.written: dict[int, int] = {}  # by which call the values of an origin were last written into
        self.sums: dict[int, Place] = {}  # where those of an origin were added up
        self.products: dict[int, Candidate] = {}  # the gate of a plain product, or of a sum of it, by origin
        self.parts: dict[int, frozenset[int]] = {}  # of what those of an origin may be a part, in one memory

    def of(self, tensor: Tensor) -> Facts:
        """What is known; a tensor nobody has met, such as a parameter, does not depend on the picture."""
        return self.met(tensor)[0]

    def met(self, tensor: Tensor) -> tuple[Facts, Shape]:
        """The same with the shape, which a mode would hear being asked for."""
        reference, found, shape = self.known.get(id(tensor), NOBODY)
        if reference() is tensor:
            return found, shape
        found = Facts(next(self.origins))  # the number of a tensor may have been that of another one
        self.put(tensor, found)
        return found, self.known[id(tensor)][2]

    def put(self, tensor: Tensor, facts: Facts) -> None:
        self.known[id(tensor)] = ref(tensor), facts, tuple(tensor.shape)

    def part(self, live: bool, of: Facts, **more) -> Facts:
        """Facts of what may be a part of other values, in the same memory."""
        made = self.new(live, views=of.views | {of.origin}, **more)
        self.parts[made.origin] = made.views
        return made

    def overwritten(self) -> dict[int, int]:
        """By which call the values of an origin were last written into, or what they are a part of."""
        through = {
            one: max(self.written[whole] for whole in wholes & self.written.keys())
            for one, wholes in self.parts.items()
            if not wholes.isdisjoint(self.written)
        }
        return {one: max(self.written.get(one, -1), through.get(one, -1)) for one in self.written | through}

    def sum(self, live: bool, place: Place) -> Facts:
        """Facts of values added up."""
        made = self.new(live)
        self.sums[made.origin] = place
        return made

    def new(self, live: bool, **more) -> Facts:
        """Facts of values that are no simple function of others."""
        return Facts(next(self.origins), live, made=self.calls, **more)
