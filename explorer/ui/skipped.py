"""Outputs that an answer leaves as they are, passed over.

To say nothing of a component, Gradio 6.31 makes it anew (`Blocks.postprocess_data`), half a millisecond each;
answers to a choice in the rail leave some twenty as they are.
"""

from copy import copy
from typing import Any

import gradio as gr

SKIP = gr.skip()


class SkippingBlocks(gr.Blocks):
    """A page that makes no component anew of which an answer says nothing."""

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """What the browser is told of each output; of what stays as it is, the same as Gradio tells."""
        outputs, single = block_fn.outputs, len(block_fn.outputs) == 1
        if single or not isinstance(predictions, list | tuple) or len(predictions) != len(outputs):
            return await super().postprocess_data(block_fn, predictions, state)
        told = {
            index: value
            for index, value in enumerate(predictions)
            if outputs[index].stateful or not (isinstance(value, dict) and value == SKIP)
        }
        some = copy(block_fn)
        some.outputs = [outputs[index] for index in told]
        values = [*told.values()] if len(told) != 1 else next(iter(told.values()))  # as a handler gives it
        found = dict(zip(told, await super().postprocess_data(some, values, state), strict=True))
        return [found[index] if index in told else gr.skip() for index in range(len(outputs))]
