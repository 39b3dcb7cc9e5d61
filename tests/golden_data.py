"""The rule the golden weights and inputs are made by, and the files of results."""

import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

FOLDER = Path(__file__).parent / "golden"


def golden_tensor(key: str, shape: list[int], conv_gain: float = 1.0) -> np.ndarray:
    """One parameter, drawn in float64 from its own name, as float32."""
    rng = np.random.Generator(np.random.PCG64(zlib.crc32(key.encode())))
    leaf = key.split(".")[-1]
    if leaf == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if leaf == "running_var":
        drawn = rng.random(shape) + 0.5
    elif leaf == "running_mean":
        drawn = rng.standard_normal(shape) * 0.1
    elif len(shape) >= 2:
        drawn = rng.standard_normal(shape) * np.sqrt(1.0 / np.prod(shape[1:], dtype=np.int64))
        drawn = drawn * (conv_gain if len(shape) == 4 else 1.0)
        drawn = drawn / (256.0 if key.endswith("split_attention.mlp1.weight") else 1.0)
    else:
        drawn = rng.standard_normal(shape) * 0.1 + (leaf == "weight")
    return drawn.astype(np.float32)


def golden_input(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    rng = np.random.Generator(np.random.PCG64(seed))
    return torch.from_numpy(rng.standard_normal(shape).astype(np.float32))


@dataclass(frozen=True)
class Golden:
    """What one published implementation gave."""

    arrays: dict[str, np.ndarray]

    @classmethod
    def read(cls, name: str) -> "Golden":
        with np.load(FOLDER / f"{name}.npz") as file:
            return cls(dict(file))

    def text(self, name: str) -> list:
        return json.loads(str(self.arrays[name]))

    @property
    def image(self) -> Tensor:
        return golden_input(tuple(self.arrays["input_shape"]))

    def checkpoint(self, folder: Path) -> Path:
        """The weights as a file in the published key layout."""
        gain = float(self.arrays.get("filler_conv_gain", 1.0))
        tensors = {key: torch.from_numpy(golden_tensor(key, shape, gain)) for key, shape in self.text("keys")}
        path = folder / "published.safetensors"
        save_file(tensors, path)
        return path
