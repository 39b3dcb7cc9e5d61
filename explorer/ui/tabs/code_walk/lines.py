"""The source of one function as rows: its statements that ran, with what they made, and all other lines."""

from explorer.code_walk.tracing import Made
from explorer.code_walk.walk import Step, Walk
from explorer.ui.tabs.code_walk.tensor_pictures import small

MOST = 4  # pictures beside a line


def rows(walk: Walk, now: int, channel: int) -> list[dict]:
    """One row a statement or line, from the `def` on; `now` is the step in hand."""
    call = walk.steps[now].call
    found = walk.calls[call].listing
    made, line = [], found.first
    indent = len(found.lines[0]) - len(found.lines[0].lstrip())
    end = found.first + len(found.lines)
    while line < end:
        statement = next((one for one in found.statements if one.first == line), None)
        last = statement.last if statement else line
        text = "\n".join(cut[indent:] for cut in found.lines[line - found.first : last + 1 - found.first])
        step = step_of(walk, call, line, now)
        made.append(
            {
                "line": line,
                "text": text,
                "step": step,
                "now": step == now,
                "thumbs": [] if step is None else thumbs(walk.steps[step], channel),
            }
        )
        line = last + 1
    return made


def step_of(walk: Walk, call: int, line: int, now: int) -> int | None:
    """The step a line leads to: in a loop the one in hand where it is of this line, else the first."""
    steps = [i for i, step in enumerate(walk.steps) if step.call == call and step.statement.first == line]
    return now if now in steps else next(iter(steps), None)


def thumbs(step: Step, channel: int) -> list[dict]:
    """Small pictures of what a step made, what has a name first."""
    return [{"name": made.name, "look": small(made, channel)[0]} for made in worth_showing(step)[:MOST]]


def worth_showing(step: Step) -> list[Made]:
    named = [made for made in step.made if not made.module]
    return named + [made for made in step.made if made.module]
