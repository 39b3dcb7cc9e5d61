"""Names of the code as short words for the screen."""

import re

BLOCK = re.compile(r"stages\.(\d+)\.blocks\.(\d+)(?:\.token_mixing)?\.?(\w*)")
STAGE = re.compile(r"stages\.(\d+)\.(?:downsample\.)?(output)")


def short(name: str) -> str:
    """`stages.1.blocks.0.after_tokens` -> `block 1.0 after tokens`, `stages.1.output` -> `stage 1 output`."""
    if block := BLOCK.fullmatch(name):
        return f"block {block[1]}.{block[2]} {block[3].replace('_', ' ')}".strip()
    if stage := STAGE.fullmatch(name):
        return f"stage {stage[1]} {'merged' if 'downsample' in name else 'output'}"
    return name.removesuffix(".output").replace("_", " ").replace(".", " ")
