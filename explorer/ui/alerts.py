"""How mistakes and bugs reach the screen: as one sentence."""

import errno
import inspect
import logging
import uuid
from collections.abc import Callable
from functools import wraps
from html import escape

import gradio as gr

from explorer.errors import ExplorerError
from models.memory import is_short_of_memory

log = logging.getLogger("mixscope")


def as_alert(error: Exception) -> gr.Error:
    """A person's own mistake in the words of the core; a bug as a reference to the log."""
    if isinstance(error, gr.Error):
        return error
    if isinstance(error, ExplorerError):
        # The page shows it as HTML, and it may hold a name somebody chose.
        return gr.Error(escape(shortened(str(error)), quote=False), print_exception=False)
    if isinstance(getattr(error, "obj", None), gr.EventData):  # it lacks what our own page always tells
        return gr.Error("This event does not tell what it has to.", print_exception=False)
    if sentence := short_of(error):
        log.error("%s", sentence, exc_info=error)
        return gr.Error(sentence, print_exception=False)
    reference = uuid.uuid4().hex[:6]
    log.error("reference %s", reference, exc_info=error)
    return gr.Error(
        f"Something went wrong here that is not your fault (reference {reference}).", print_exception=False
    )


def short_of(error: Exception) -> str | None:
    """One sentence for what is nobody's mistake and no bug: no memory, or no room on the disk."""
    if is_short_of_memory(error):
        return "There is not enough memory here for that just now; try again, or with a smaller model."
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk of this computer is full; nothing was kept."
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        return "This computer lets nothing be written there; nothing was kept."
    return None


def shortened(sentence: str, most: int = 600) -> str:
    """A sentence that quotes what was sent, however long that was."""
    half = most // 2
    return sentence if len(sentence) <= most else f"{sentence[:half]} … {sentence[-half:]}"


def shown(handler: Callable) -> Callable:
    """The handler, or generator, whose every exception becomes an alert without a traceback."""
    if inspect.isgeneratorfunction(getattr(handler, "func", handler)):

        @wraps(handler)
        def wrapped(*args, **kwargs):
            try:
                yield from handler(*args, **kwargs)
            except Exception as error:
                raise as_alert(error) from error

    else:

        @wraps(handler)
        def wrapped(*args, **kwargs):
            try:
                return handler(*args, **kwargs)
            except Exception as error:
                raise as_alert(error) from error

    return wrapped
