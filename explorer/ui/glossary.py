"""The words of the page that need a sentence, and which of them a text uses."""

from collections.abc import Mapping
from types import MappingProxyType

MOST = 6  # words listed below one view

# A term, how a text that needs it goes, and what it means.
TERMS: Mapping[str, tuple[tuple[str, ...], str]] = MappingProxyType(
    {
        "logit": (
            ("logit",),
            "What a model gives a class before all classes together are made into probabilities. A sum of "
            "logits can be shared out over places; a probability cannot.",
        ),
        "channel": (
            ("channel",),
            "One of the many maps a layer makes; each answers to something of its own.",
        ),
        "branch": (
            ("branch",),
            "One of several ways in which a block mixes the same input, for example along the height and "
            "along the width.",
        ),
        "share": (
            ("share",),
            "How much of a blend comes from one branch; the shares of a channel add up to one.",
        ),
        "split attention": (
            ("split attention", "reweight"),
            "The small network that looks at all branches and decides, for every channel, how much of each "
            "is taken.",
        ),
        "gate": (
            ("gate",),
            "A number between zero and one that opens or closes a channel, a place or a branch.",
        ),
        "block": (
            ("block",),
            "The part that is repeated in depth: it mixes places, then channels.",
        ),
        "token": (
            ("token", "patch"),
            "One place of the map after the picture was cut into patches.",
        ),
        "receptive field": (
            ("receptive field", "field"),
            "The pixels that can move a place of a map, or do so measurably.",
        ),
        "attribution": (
            ("attribution", "explain"),
            "A map that shares out what a model says over the places of the picture.",
        ),
        "completeness": (
            ("completeness", "gap"),
            "That an attribution adds up to the change of the logit from a baseline; the gap is what is "
            "missing.",
        ),
        "baseline": (
            ("baseline",),
            "The picture that stands for nothing: an attribution tells what differs from it.",
        ),
        "gradient": (
            ("gradient",),
            "How much the logit changes for a small change of a value.",
        ),
        "strongest components": (
            ("component",),
            "The three directions in which the channels differ most, shown as red, green and blue.",
        ),
        "CKA": (
            ("cka",),
            "How alike two layers arrange the same pictures or places, from zero to one.",
        ),
        "knock-out": (
            ("knock-out",),
            "Taking one branch away, block by block, to see what the logit owes to it.",
        ),
        "entropy": (
            ("entropy",),
            "High where a channel takes something of every branch, low where it takes one only.",
        ),
        "typical range": (
            ("typical",),
            "Where a share lies for most pictures of the kind the weights were trained on.",
        ),
    }
)


def terms_of(text: str) -> list[str]:
    """The terms a text uses, in the order of the glossary."""
    words = f" {text.lower()}"
    return [name for name, (signs, _) in TERMS.items() if any(f" {sign}" in words for sign in signs)][:MOST]
