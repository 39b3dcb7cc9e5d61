"""Links: what is looked at, as the query of an address that shows it again."""

from pathlib import Path
from urllib.parse import urlencode

from explorer.ui.examples import EXAMPLES
from explorer.ui.selection import FILE, Selection


def mark_of(digest: str) -> str:
    """What a link calls a picture that is no example."""
    return f"upload-{digest[:12]}"


def link_to(selection: Selection, digest: str) -> str:
    """What is looked at, as the query of a link that shows it again; `ui.address` reads it."""
    path = Path(selection.picture or "")
    parts = {
        "picture": path.stem if path in EXAMPLES else mark_of(digest),
        "model": selection.model,
        "weights": selection.choice_told,
        **({"file": selection.file} if selection.choice == FILE else {}),
        **({"target": selection.target} if selection.target is not None else {}),
    }
    return urlencode(parts)
