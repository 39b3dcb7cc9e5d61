"""What is remembered is answered as soon as it is asked: it waits for no lane, and comes in one part."""

import inspect
from collections.abc import Callable
from functools import wraps

from explorer.engine.cache import remembered_only
from explorer.ui.gradio_internals import is_tried


def at_once_where_remembered(handler: Callable) -> Callable:
    """The handler, which the queue asks for what is remembered before a question has to wait for its lane."""
    if inspect.isgeneratorfunction(handler):

        @wraps(handler)
        def answered(*values):
            if not is_tried():
                yield from handler(*values)
                return
            with remembered_only():
                *_, last = handler(*values)
            yield last

    else:

        @wraps(handler)
        def answered(*values):
            if not is_tried():
                return handler(*values)
            with remembered_only():
                return handler(*values)

    answered.__dict__["cache"] = True  # what the queue looks for
    return answered
