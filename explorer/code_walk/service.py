"""Code walks on request."""

from explorer.code_walk.literal_shift import LiteralShift, literal_shift
from explorer.code_walk.walk import Walk, first_block, walk
from explorer.engine.engine import Engine
from explorer.engine.model_input import ModelInput


class CodeWalkService:
    """Follows the source of one block."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def walk(self, subject: ModelInput, block: str | None = None) -> Walk:
        """What every line of a block's source makes of a picture; None for the block worth beginning with."""
        model = subject.loaded.model
        name = first_block(model) if block is None else block
        return self.engine.once(subject, ("walk", name), lambda: walk(model, subject.placed, name))

    def literal_shift(self, subject: ModelInput, block: str) -> LiteralShift:
        """What the in-place shift of published listings would make of a picture in a block."""
        model = subject.loaded.model
        return self.engine.once(
            subject, ("literal shift", block), lambda: literal_shift(model, subject.placed, block)
        )
