"""How much of this machine to use: the device, and the threads of one pass."""

import ctypes
import os

import torch

from explorer.engine.zero_gpu import is_lent
from explorer.errors import ChoiceError

KEPT_FREE = 64 * 2**20  # bytes of freed memory that wait for the next pass
MAPPED = 32 * 2**20  # bytes; a larger block is taken from the system and given back by itself, glibc's most
MOST_THREADS = 8  # beyond this, one picture at a time gains nothing


def choose_device(device: str = "auto") -> torch.device:
    """The device asked for; with "auto", CUDA where there is one, and not only for single calls.

    Raises ChoiceError, with what there is, for a device that is not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() and not is_lent() else "cpu")
    if device in available():
        return torch.device(device)
    raise ChoiceError(f"There is no device {device!r} here; there is {', '.join(available())}, or auto.")


def available() -> tuple[str, ...]:
    """Names of the devices of this machine that everything works on."""
    numbers = range(torch.cuda.device_count() if torch.cuda.is_available() else 0)
    return ("cpu", *(("cuda",) if numbers else ()), *(f"cuda:{number}" for number in numbers))


def compute_exactly() -> None:
    """Keep 32 bits of every number: on recent GPUs, products of matrices would be rounded to 10 (TF32)."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def cores() -> int:
    """Cores this process may run on, which in a container is often fewer than the machine has."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = open("/sys/fs/cgroup/cpu.max").read().split()  # noqa: SIM115
        return max(1, min(allowed, round(int(quota) / int(period))))
    except (OSError, ValueError):  # no cgroup, or its quota is "max"
        return allowed


def choose_threads() -> int:
    """Threads for one forward pass: half the cores, so the other half keeps serving the page.

    On two cores that is one. Two threads on two cores that anything else shares wait for each other at
    every layer: a ViP-S/7 pass was measured at 1.6 s instead of 0.14 s.
    """
    return max(1, min(cores() // 2, MOST_THREADS))


def keep_freed_memory() -> None:
    """Let the C library keep what a pass frees for the next one: so much, in one place for all threads.

    Left alone, glibc gives large blocks back to the system at once and asks for them again at every layer;
    what comes from the system is cleared page by page, which took a tenth to a fifth of a pass. Where the C
    library is another, nothing happens. Parameters: mallopt(3).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    for parameter, value in ((-1, KEPT_FREE), (-3, MAPPED), (-8, 1)):  # trim, map, number of arenas
        mallopt(parameter, value)
