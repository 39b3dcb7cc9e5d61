"""Names of the parts of a network as short words for the screen.

A family's own words for the module that mixes its tokens stand here, so that no view has to know them.
"""

import re

MIXING_MODULES = ("token_mixing", "spatial_mixing", "axial_shift", "split_attention", "attn")
INNER = re.compile(rf"\.({'|'.join(MIXING_MODULES)})(?=\.|$)")
BLOCK = re.compile(r"(?:stages\.(\d+)\.)?(?:blocks\.)?(\d+)\.?(.*)")
STAGE = re.compile(r"stages\.(\d+)\.(downsample\.)?output")


def short(name: str) -> str:
    """`stages.1.blocks.0.after_tokens` -> `block 1.0 after tokens`, `stages.1.output` -> `stage 1 output`."""
    name = INNER.sub("", name)
    if stage := STAGE.fullmatch(name):
        return f"stage {stage[1]} {'merged' if stage[2] else 'output'}"
    if block := BLOCK.fullmatch(name):
        number = ".".join(part for part in block.groups()[:2] if part is not None)
        return f"block {number} {block[3].replace('_', ' ').replace('.', ' ')}".strip()
    return name.removesuffix(".output").removesuffix("_output").replace("_", " ").replace(".", " ")


def short_part(name: str) -> str:
    """A part, or what it puts out: `stages.1.blocks.0` and `stages.1.blocks.0.output` -> `block 1.0`."""
    return short(name if name.endswith("output") else f"{name}.output").removesuffix(" output")
