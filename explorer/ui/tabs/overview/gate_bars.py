"""How far the gates of a model without branches are open, from the first to the last, as bars."""

from typing import Any

from explorer.capture import Run
from explorer.reweighting.gates import Gate, gates
from explorer.ui.tabs.reweighting.gated import words
from models.probe import Kind

NOTES = {
    Kind.CHANNEL_GATE: "how far each channel gate is open on average",
    Kind.ATTENTION: "the largest share of a query, on average, attention by attention",
}
MODULATED = "Maps are multiplied by maps here, without a bound that could be drawn: see Reweighting."


def gates_of(run: Run) -> dict[str, Any] | None:
    """What the card draws: of one kind of gate a bar each, all between 0 and 1; None for a model without."""
    for kind, note in NOTES.items():
        found = gates(run, kind)
        if found:
            return {"note": note, "bars": [bar(one) for one in found]}
    return {"note": "", "bars": [], "instead": MODULATED} if gates(run) else None


def bar(gate: Gate) -> dict[str, Any]:
    share = gate.mean if gate.kind is Kind.CHANNEL_GATE else float(gate.size.mean())
    return {"words": words(gate.name), "share": min(max(share, 0.0), 1.0)}
