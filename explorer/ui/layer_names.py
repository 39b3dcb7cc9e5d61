"""Names of the code as short words for the screen."""

import re

INNER = re.compile(r"\.(token_mixing|spatial_mixing|axial_shift|split_attention|attn)(?=\.|$)")
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
