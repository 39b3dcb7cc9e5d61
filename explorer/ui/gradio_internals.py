"""What Gradio 6.31 offers no supported way for, all in one place, to be looked at when Gradio is updated.

The queue looks for work every millisecond, and for progress to tell every hundredth of a second, which takes
a tenth of a core while nobody is there (`sleep_when_free` and `progress_update_sleep_when_free` of
`gradio.queueing.Queue`; `Blocks.queue` has no parameter for them). How many wait is told over HTTP only.

After every answer the queue puts the last 10,000 answers into a table of pandas, for a dashboard that is
switched off (`compute_analytics_summary`, 16 to 27 ms); only the environment says how often and how many,
and only before the page is built.

When the stream of a client breaks off, its questions are marked (`Event.alive`); a generator is closed after
the part it makes. A plain handler is told nothing and computes to the end; `somebody_waits` looks at the
mark. The queue does so only for streams that were opened; `drop` does it for any session, and forgets what it
was to be told, which the queue keeps for the last 2,000 sessions.

Where a handler has an attribute `cache`, the queue calls it as soon as it is asked: what it gives is the
answer, and only if it raises `CacheMissError` the question waits for a lane. Such a question is kept as if it
were still computed, which `answered` mends.

A listener with `trigger_mode="always_last"` that was put off is caught up by telling its whole event once
more, to all who listen to it. Two such listeners of one event put each other off, and the page asks the
server without end (`dispatch` in `Blocks.svelte`: `this.dispatch(e)` after `this.queue.delete`). What is
called after another listener is caught up alone; so each such listener is called after one that does nothing.

What is cancelled ends on the page with an answer without data, at which the page stumbles: a listener that
was put off until then is never caught up (`dispatch` again: its `catch` does not look at `this.queue`). It is
caught up after a refusal without words, which `end_quietly` sends first. What began in between is not known
to the page as going on, and cannot be cancelled there; `asked_again` tells it that its answer is stale.
"""

import asyncio
import math
import sys
import time
from collections.abc import Collection
from typing import Any

import gradio as gr
from gradio.caching import _probe_mode_active
from gradio.context import LocalContext
from gradio.events import EventListenerMethod
from gradio.server_messages import ProcessCompletedMessage

LOOK_EVERY = 0.012  # seconds; what is asked waits half of this on average
TELL_EVERY = 0.1  # seconds between two messages of progress


def rest_while_idle(app: gr.Blocks) -> None:
    """Let the queue of an app look for work some eighty times a second instead of a thousand."""
    app._queue.sleep_when_free = LOOK_EVERY
    app._queue.progress_update_sleep_when_free = TELL_EVERY


def keep_no_statistics(app: gr.Blocks) -> None:
    """Spare the queue of an app a summary of all it has answered, after each answer."""
    app._queue.ANAYLTICS_CACHE_FREQUENCY = sys.maxsize  # Gradio's spelling
    app._queue.ANALYTICS_MAX_EVENTS = 1


def waiting(app: gr.Blocks) -> int:
    """How many questions wait for their turn."""
    return len(app._queue)


def answered_here() -> tuple[Any, Any]:
    """The queue and the question this thread answers; None for a forgotten one, and both outside of one."""
    page, number = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    if page is None or number is None:
        return None, None
    return page._queue, page._queue.event_ids_to_events.get(number)


def somebody_waits() -> bool:
    """Whether the client whose question this thread answers is still there; True outside of a question."""
    queue, asked = answered_here()
    return queue is None or (asked is not None and asked.alive)


def asked_again() -> bool:
    """Whether the client whose question this thread answers has since asked the same listener anew."""
    queue, asked = answered_here()
    return asked is not None and any(
        (one.session_hash, one.fn) == (asked.session_hash, asked.fn) and one.enqueue_time > asked.enqueue_time
        for one in list(queue.event_ids_to_events.values())
    )


def end_quietly(app: gr.Blocks) -> None:
    """End what is cancelled with a refusal without words, before Gradio's own answer."""
    queue: Any = app._queue
    remove = queue.remove_from_queue

    async def removed(number: str) -> None:
        await remove(number)
        session = asker(app, number)
        if session is not None:
            refused = ProcessCompletedMessage(output={"error": []}, success=False, event_id=number)
            queue.pending_messages_per_session[session].put_nowait(refused)

    queue.remove_from_queue = removed


def as_object(told: gr.EventData | None) -> None:
    """Have an event tell nothing where it was sent with anything but an object."""
    if told is not None and not isinstance(told._data, dict):
        told._data = {}


def is_tried() -> bool:
    """Whether the queue only tries whether a question can be answered at once."""
    return _probe_mode_active.get()


def answered(app: gr.Blocks, number: str) -> None:
    """Keep no question that was answered at once; called before its answer is passed on."""

    def forget() -> None:
        app._queue.event_ids_to_events.pop(number, None)
        app.app.iterators.pop(number, None)

    asyncio.get_running_loop().call_soon(forget)


def sessions(app: gr.Blocks) -> dict[str, float]:
    """Whoever asks, or was answered, and when they asked last, in seconds of `time.monotonic`."""
    queue = app._queue
    last = dict.fromkeys(queue.pending_messages_per_session, -math.inf)
    for asked in list(queue.event_ids_to_events.values()):
        last[asked.session_hash] = max(last.get(asked.session_hash, -math.inf), asked.enqueue_time)
    return last


def asker(app: gr.Blocks, number: str) -> str | None:
    """The session that asked a question and was not yet told the answer."""
    queue = app._queue
    for session, numbers in queue.pending_event_ids_session.items():
        if number in numbers and session in queue.pending_messages_per_session:
            return session
    return None


async def drop(app: gr.Blocks, session: str) -> None:
    """Stop what a session asked, and forget what it was to be told."""
    queue = app._queue
    await queue.clean_events(session_hash=session)
    queue.pending_messages_per_session.pop(session, None)
    queue.pending_event_ids_session.pop(session, None)


async def stop(session: str, listeners: Collection[int]) -> None:
    """End what a session asked of some listeners, whether it waits or goes on; called while one is answered.

    The page can end only what it knows the number of, which it is told a while after it has asked.
    """
    page = LocalContext.blocks.get()
    if page is None:
        return
    queue = page._queue
    for number, asked in list(queue.event_ids_to_events.items()):
        if asked.session_hash == session and asked.fn._id in listeners:
            await queue.clean_events(event_id=number)


def end(app: gr.Blocks, seconds: float = 10.0) -> bool:
    """Stop whatever is computed and wait for it to end; gives whether it did.

    Torch aborts a program that ends while one of its threads computes.
    """
    queue, last = app._queue, time.monotonic() + seconds
    while jobs := [event for job in queue.active_jobs for event in job or ()]:
        for event in jobs:
            event.alive = False  # a generator is closed after its part
        if time.monotonic() > last:
            return False
        time.sleep(LOOK_EVERY)
    return True


def catch_up_alone(app: gr.Blocks) -> None:
    """Call each listener that takes the last of quick changes after one that does nothing."""
    for listener in list(app.fns.values()):
        if listener.trigger_mode == "always_last" and listener.trigger_after is None:
            events = [
                EventListenerMethod(app.blocks[block], name)
                for block, name in listener.targets
                if block is not None
            ]
            nothing, index = app.default_config.set_event_trigger(
                events, None, None, None, js="() => []", trigger_mode="multiple", queue=False
            )
            nothing.api_visibility = "private"
            listener.targets, listener.trigger_after = [], index
