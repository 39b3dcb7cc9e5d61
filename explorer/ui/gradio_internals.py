"""What Gradio 6.31 offers no supported way for, all in one place, to be looked at when Gradio is updated.

The queue looks for work every millisecond, and for progress to tell every hundredth of a second, which takes
a tenth of a core while nobody is there (`sleep_when_free` and `progress_update_sleep_when_free` of
`gradio.queueing.Queue`; `Blocks.queue` has no parameter for them).
"""

import gradio as gr

LOOK_EVERY = 0.012  # seconds; what is asked waits half of this on average
TELL_EVERY = 0.1  # seconds between two messages of progress


def rest_while_idle(app: gr.Blocks) -> None:
    """Let the queue of an app look for work some eighty times a second instead of a thousand."""
    app._queue.sleep_when_free = LOOK_EVERY
    app._queue.progress_update_sleep_when_free = TELL_EVERY
