"""Which survey is looked at: one that comes along, one of the visitor's pictures, or one made elsewhere.

What a visitor has lies in the one store of the program under a name nobody can guess; the session holds the
name, and the paths of the pictures, of which one is read when it is asked for.
"""

import hashlib
import secrets
import zipfile
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from gradio.utils import get_upload_folder

from explorer.decoding.files import contents
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.survey.scenes import scene
from explorer.survey.seen import Seen
from explorer.survey.shipped import SETS, comes_along, shipped
from explorer.survey.sources import Item, in_zip, plain
from explorer.ui.selection import Selection

SHIPPED, HELD = "shipped", "held"  # the two there are to choose from
MOST, MOST_HOSTED = 500, 100  # pictures of a visitor
MOST_UNPACKED = 200_000_000  # bytes of all entries of a zip
NAMED = 60  # letters of a name
GONE = "This survey is not here any more; choose its pictures, or open it, again."


@dataclass(frozen=True)
class Held:
    """The survey a visitor has made or opened; none at first."""

    key: str = ""
    title: str = ""
    files: tuple[
        str, ...
    ] = ()  # paths of the pictures, or of a zip of them; none where it was made elsewhere

    def is_chosen(self, which: str | None) -> bool:
        """Whether it is there, and what the menu stands at."""
        return which == HELD and bool(self.key)

    @property
    def told(self) -> str:
        """What may be written down of it: neither its name nor where its pictures lie."""
        return self.title

    @classmethod
    def new(cls, title: str, files: tuple[str, ...] = ()) -> "Held":
        return cls(secrets.token_urlsafe(24), title, files)


NONE = Held()


def kept(explorer: Explorer, held: Held, seen: Seen) -> None:
    """Remember a survey, in place of what was remembered of it before."""
    explorer.engine.cache.keep(("survey", held.key), seen)


def current(explorer: Explorer, selection: Selection, which: str | None, held: Held) -> Seen | None:
    """The survey that is chosen; None where none is. Raises ChoiceError for one that was forgotten."""
    if held.is_chosen(which):
        seen = explorer.engine.cache.get(("survey", held.key))
        if not isinstance(seen, Seen):
            raise ChoiceError(GONE)
        return seen
    model, weights = selection.model, selection.weights
    return along(model, weights) if comes_along(model, weights) else None


@lru_cache(maxsize=16)
def along(model: str, weights: str) -> Seen:
    """A survey that comes along."""
    rows = shipped(model, weights)
    return Seen(rows, rows.about["pictures"], rows.about["pictures"])


def choices(selection: Selection, held: Held) -> list[tuple[str, str]]:
    """What the menu of surveys offers for a model: words and names."""
    offered = [(SETS[selection.weights], SHIPPED)] if comes_along(selection.model, selection.weights) else []
    return [*offered, *([(held.title, HELD)] if held.key else [])]


def items_of(files: tuple[str, ...], most: int) -> list[Item]:
    """The pictures of an upload. Raises ChoiceError for none, for too many, and for a zip that is damaged."""
    found: list[Item] = []
    for path in map(Path, files):
        if path.suffix.lower() == ".zip" and not zipfile.is_zipfile(path):
            raise ChoiceError(f"{path.name[:NAMED]} is a zip that is damaged or cut short.")
        if path.suffix.lower() == ".zip":
            found += in_zip(path)
            refuse_large(path)
        else:
            found.append(Item(plain(path.name), None, partial(contents, path)))
    if not found:
        raise ChoiceError("There is no picture in this.")
    if len(found) > most:
        raise ChoiceError(
            f"These are {len(found):,} files; here at most {most} are looked at. The command "
            "`mixscope survey` takes any number."
        )
    return found


def refuse_large(path: Path) -> None:
    """Raises ChoiceError for a zip that unpacks to very much; no entry gives more than it says it has."""
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > MOST_UNPACKED:
        raise ChoiceError(
            f"{path.name[:NAMED]} unpacks to {unpacked / 1e6:,.0f} MB; here at most "
            f"{MOST_UNPACKED / 1e6:.0f} MB are taken."
        )


def most(explorer: Explorer) -> int:
    """How many pictures a visitor may survey; strangers share the processor."""
    return MOST_HOSTED if explorer.hosted else MOST


def picture(selection: Selection, which: str | None, held: Held, index: int) -> tuple[str, bytes] | None:
    """Name and file of a picture of the survey that is chosen; None where it did not come along.

    Raises PictureError for one that cannot be read.
    """
    if held.is_chosen(which):
        found = items_of(held.files, MOST)[index : index + 1] if held.files else []
        return (found[0].name, found[0].read()) if found else None
    return scene(index) if selection.weights == "scenes" else None


def laid_down(name: str, data: bytes) -> str:
    """A picture's file where uploads lie, in a folder named for its content; gives its path."""
    folder = Path(get_upload_folder()) / hashlib.sha256(data).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"picture{Path(name).suffix.lower()[:8] if Path(name).suffix.isascii() else ''}"
    path.write_bytes(data)
    return str(path)
