"""How to tell that memory was short: on the CPU PyTorch says it in words only."""

import torch

SAID = ("allocate memory", "out of memory", "alloc_cpu")


def is_short_of_memory(error: Exception) -> bool:
    """Whether an error of Python, or of PyTorch on any device, means that memory was short."""
    text = str(error)
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(words in text for words in SAID)
    )
