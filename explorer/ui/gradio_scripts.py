"""Scripts of Gradio 6.31's page, served changed: its slowest steps, and what asks too often or is not heard.

On a page of 380 components and 470 listeners, most of the time between a click and its answer went into
looking the same things up again: a link followed kept the browser busy for 1.4 s, 0.4 s with these changes.

- At each message of the server every component that ever waited is told of it (`update_loading_stati_state`).
  Here only those are told for which something changed.
- The state of each component is looked up even where its events tell nothing beside (`set_event_args`).
- What a listener reads counts as waiting, too, once the listener has answered (`resolve_args`: a stream that
  is "closed"). It shows nothing; here it is left out. This page has no streams that a visitor sends.
- The seconds of "loading" are counted at every frame, also when what was loaded has taken the place of the
  counter: a twentieth of a core, as long as a page is open. Here the count ends with the counter.
- A component is found by walking through the tree of all (`find_node_by_id`), its events among all listeners
  (`find_attached_events`). Here its place is remembered, and the events are sorted once.
- The server ends its stream of answers when nothing is asked any more, and says so. What is asked while that
  is on its way (a click as soon as a result appears) counted on the stream, and its answer was never read.
  Here the stream is opened again where nothing was heard yet of what was asked.
- A menu tells that something was chosen whenever it is left: a choice by mouse was asked twice, and whoever
  went past with Tab had all computed again. Here it tells once, and only where it says something else.
- A slider tells that it was let go whenever its number is left, and never when it is moved by keys. Here it
  tells whenever another value was settled on, by pointer, keys or typing.
- A number typed into a slider faster than is drawn was written anew under the hand: "12." became "12", and
  the next letter stood before it. Here its box is written only where it says another number.
- What an event cancels is cancelled after its other listeners were answered: in an upload that ended what had
  just been asked for the new picture, once in some fifty, and the old picture stayed. Here it is cancelled
  before anything is asked, and what is asked meanwhile is not taken for what was cancelled.
- On a Space, the page asks Google for fonts and Hugging Face about the Space, for a header that our policy,
  which lets nothing out, keeps empty. Here it does not ask.

There is no supported way. A script in which a passage is not found exactly once, as in another version of
Gradio, is served as it is; a test holds that the passages are there in the version that is required.
"""

import gzip
from functools import cache
from pathlib import Path

import gradio as gr
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

SCRIPTS = Path(gr.__file__).parent / "templates" / "frontend" / "assets"

ALL_WAITING = "Object.entries(this.loading_stati.current)"
CHANGED_WAITING = f"{ALL_WAITING}.filter(([e,t])=>this.told?.[e]!==t&&((this.told??={{}})[e]=t))"
FORGET_REFUSED = (
    "for(let e of this.refused??[])delete this.told?.[e],this.loading_stati.current[e]??={};this.refused=[];"
)
EVENTS_AMONG_ALL = (
    "let n=t.filter(t=>t.targets.find(([t])=>t===e.id))"
    ".map(t=>{let n=t.targets.find(([t])=>t===e.id);return n?n[1]:null}).filter(Boolean);"
)
WALK = (
    "function Z(e,t){if(e.id===t)return e;"
    "if(e.children)for(let n of e.children){let e=Z(n,t);if(e)return e}return null}"
)
REMEMBERED = """
const eventsOf = new WeakMap();
function eventsByComponent(listeners) {
  if (eventsOf.has(listeners)) return eventsOf.get(listeners);
  const events = new Map();
  for (const listener of listeners) {
    const seen = new Set();
    for (const [component, event] of listener.targets) {
      if (seen.has(component)) continue;
      seen.add(component);
      if (event) events.set(component, [...(events.get(component) ?? []), event]);
    }
  }
  eventsOf.set(listeners, events);
  return events;
}
let places = new Map();
function Z(root, id) {
  const found = nodeAt(root, places.get(id) ?? []);
  if (found?.id === id) return found;
  places = new Map();
  notePlaces(root, []);
  return places.has(id) ? nodeAt(root, places.get(id)) : null;
}
function nodeAt(node, place) {
  for (const index of place) node = node?.children?.[index];
  return node;
}
function notePlaces(node, place) {
  if (!places.has(node.id)) places.set(node.id, place);
  const children = node.children ?? [];
  for (let index = 0; index < children.length; index++) notePlaces(children[index], [...place, index]);
}
"""
LISTENERS_IN_TURN = "for(let n=0;n<(t?.length||0);n++){let r=t?t[n]:void 0;if(r){"
CANCELLED_FIRST = f"t?.forEach(e=>this.cancel(e.cancels));{LISTENERS_IN_TURN}"
PASSAGES = tuple[tuple[str, str], ...]  # what stands in a script, and what takes its place
CHANGES: tuple[tuple[str, PASSAGES], ...] = (
    (
        "Blocks-*.js",
        (
            (f"{ALL_WAITING}.map(", f"{CHANGED_WAITING}.map("),
            # The sentence beside what was refused goes with the next message, as it did.
            (
                "s.message.forEach((e,t)=>{",
                "s.message.forEach((e,t)=>{(this.refused??=[]).push(r.inputs[t]);",
            ),
            (
                "async set_event_args(e,t){",
                "async set_event_args(e,t){if(!Object.keys(t).length)return()=>{};",
            ),
            (f"{LISTENERS_IN_TURN}this.cancel(r.cancels);", CANCELLED_FIRST),
            (
                "??void 0;this.clear_submission(t);let{failure:r",
                "??void 0;this.submissions.get(t)===e&&this.clear_submission(t);let{failure:r",
            ),
            ("async update_loading_stati_state(){", f"async update_loading_stati_state(){{{FORGET_REFUSED}"),
        ),
    ),
    (
        "statustracker-*.js",
        (
            # Else a new one each time.
            ("n.fn_index!==e.fn_index&&(", "n.fn_index!==e.fn_index&&n.used_cache&&("),
            ("h.includes(e)&&s?", "h.includes(e)&&s&&s!==`closed`?"),
            ("W&&ze()", "W&&U?.isConnected&&ze()"),
        ),
    ),
    ("Index-*.js", (("if(e&&!t&&window.self===window.top){", "if(!1){"),)),
    (
        "Index-*.js",
        (
            ("D(R,!0),o.on_focus?.()}", "D(R,!0),I.told=_(),o.on_focus?.()}"),
            (
                "D(R,!1),D(J,null),o.on_input?.(),I.blur()}",
                "D(R,!1),D(J,null),I.told=n,o.on_input?.(),I.blur()}",
            ),
            ("o.on_blur?.(),o.on_input?.()}", "o.on_blur?.(),I.told!==_()&&o.on_input?.()}"),
        ),
    ),
    (
        "Index-*.js",
        (
            ("function J(){R.dispatch(`release`,R.props.value),", "function J(){q(),"),
            ("x(`blur`,S,J),C(`pointerup`,S,q)", "x(`change`,S,J)"),
            ("C(`pointerup`,z,q)", "x(`change`,z,q)"),
            (
                "_(S,()=>R.props.value,e=>R.props.value=e)",
                "S.addEventListener(`input`,()=>{R.props.value=S.value===``?null:+S.value}),"
                "b(()=>{let e=R.props.value??null;(S.value===``?null:+S.value)!==e&&(S.value=e??``)})",
            ),
        ),
    ),
    (
        "index-*.js",
        (
            # Whether anything was heard of a question since it was asked, when the stream ends.
            (
                "E in g&&(g[E].forEach(e=>t(e)),delete g[E]),v[E]=t,",
                "E in g?(g[E].forEach(e=>t(e)),delete g[E]):h.open&&(this.unheard??=new Set).add(E),v[E]=t,",
            ),
            ("let c=s.event_id;if(!c)", "let c=s.event_id;if(o.unheard?.delete(c),!c)"),
            (
                "if(s.msg===`close_stream`){wt(r,o.abort_controller);return}",
                "if(s.msg===`close_stream`){wt(r,o.abort_controller);"
                "o.unheard?.size&&(o.unheard.clear(),await o.open_stream());return}",
            ),
        ),
    ),
    ("core-*.js", ((EVENTS_AMONG_ALL, "let n=eventsByComponent(t).get(e.id)??[];"), (WALK, REMEMBERED))),
)


@cache
def changed() -> dict[str, bytes]:
    """The changed scripts by file name, compressed."""
    found = ((path, changes) for name, changes in CHANGES for path in SCRIPTS.glob(name))
    texts = ((path.name, path.read_text(), changes) for path, changes in found)
    return {
        name: gzip.compress(replaced(text, changes).encode(), mtime=0)
        for name, text, changes in texts
        if all(text.count(old) == 1 for old, _ in changes)
    }


def replaced(text: str, changes: PASSAGES) -> str:
    for old, new in changes:
        text = text.replace(old, new)
    return text


async def script(request: Request) -> Response:
    """One of them."""
    packed = changed()[request.url.path.rpartition("/")[2]]
    headers = {"cache-control": "public, max-age=3600", "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type="text/javascript", headers=headers | {"content-encoding": "gzip"})
    return Response(gzip.decompress(packed), media_type="text/javascript", headers=headers)


def changed_scripts() -> list[Route]:
    """A route for each, before Gradio's own."""
    return [Route(f"/assets/{name}", script) for name in changed()]
