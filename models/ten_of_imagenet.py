"""Which of ImageNet's thousand classes are one of CIFAR-10's ten, which are none, and which are neither.

Deng et al., ImageNet: A Large-Scale Hierarchical Image Database, 2009; the numbers are those of
assets/labels/imagenet1k.txt, which go with WordNet, so that kin lies side by side.
"""

from itertools import chain

from models.photographs import CIFAR10, NONE

TEN: dict[str, tuple[range | tuple[int, ...], ...]] = {
    "airplane": ((404, 895),),
    "automobile": ((436, 468, 511, 609, 627, 656, 661, 751, 817),),
    "bird": (range(7, 25), range(80, 101), range(127, 147)),
    "cat": (range(281, 286),),
    "dog": (range(151, 269),),
    "frog": (range(30, 33),),
    "horse": ((339,),),
    "ship": ((484, 510, 554, 625, 628, 724, 780, 814, 871, 914),),
    "truck": ((555, 569, 675, 717, 864, 867),),
}
# Too near to one of the ten to be none of them: wolves and foxes, wild cats, hoofed animals, buses and other
# vehicles, boats that are no ships, a harbour, the wing of an airplane.
NEITHER = {
    *chain(range(269, 281), range(286, 294), range(340, 356)),
    *(403, 405, 407, 408, 472, 536, 573, 576, 586, 603, 654, 660, 690, 694, 734, 744),
    *(757, 779, 803, 812, 833, 847, 866, 874, 908),
}


def label_of(number: int) -> int | None:
    """The index in `CIFAR10` of a class of ImageNet, or `NONE`; None for what is neither."""
    if number in NEITHER:
        return None
    names = (name for name, parts in TEN.items() if any(number in part for part in parts))
    return next((CIFAR10.index(name) for name in names), NONE)
