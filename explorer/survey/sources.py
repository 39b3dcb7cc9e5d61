"""What a survey goes over, picture by picture and always in the same order; each is read when asked for.

A folder (the folder a file lies in is its label), a zip (the same), a list (a path a line, a label after a
tab), shards, see `explorer.survey.shards`, or a data set, see `explorer.survey.hub_data`. Only names are
held, those of one folder or zip at a time.
"""

import lzma
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath

from explorer.decoding.files import MOST_BYTES, contents
from explorer.errors import ChoiceError, PictureError

LISTS = (".txt", ".tsv", ".list", ".lst")
# What Python raises for a zip that is damaged, encrypted, or packed in a way it does not know.
UNPACKING = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, EOFError, OSError, ValueError)
DAMAGED = "This entry of the zip is damaged, encrypted or packed in a way that cannot be read."


@dataclass(frozen=True)
class Item:
    """One picture to come."""

    name: str  # where it lies in what the survey goes over
    label: str | None  # what it shows, where that is told
    read: Callable[[], bytes]  # raises PictureError


def items(source: str) -> Iterator[Item]:
    """All pictures of a source. Raises ChoiceError for what is no source."""
    from explorer.survey.hub_data import in_data_set, is_data_set
    from explorer.survey.shards import in_shards, is_pattern

    if is_data_set(source):
        return in_data_set(source)
    place = Path(source)
    if place.is_dir():
        return in_folder(place)
    if is_pattern(source):
        return in_shards(source)
    if place.is_file() and zipfile.is_zipfile(place):
        return in_zip(place)
    if place.is_file() and place.suffix.lower() in LISTS:
        return in_list(place)
    raise ChoiceError(
        f"{source} is nothing a survey can go over; give a folder, a zip, a list of files "
        f"({', '.join(LISTS)}), shards such as shards-{{000..003}}.tar, or hf:OWNER/NAME."
    )


def in_folder(root: Path) -> Iterator[Item]:
    """The files of a folder and of those below, but for hidden ones; links to folders are not followed."""
    closed: list[OSError] = []
    for folder, below, files in os.walk(root, onerror=closed.append):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(name for name in files if not name.startswith(".")):
            path = Path(folder, name)
            yield labelled(path.relative_to(root).as_posix(), partial(contents, path))
    for error in closed:
        yield unreadable(str(error.filename), "This folder could not be opened.")


def in_zip(path: Path) -> Iterator[Item]:
    """The files of a zip, in the order of their names; nothing is unpacked to the disk."""
    try:
        archive = Archive(path)  # closed when the last of its items is forgotten
    except UNPACKING:
        raise ChoiceError(f"{path} is a zip that is damaged or cut short.") from None
    for entry in sorted(archive.file.infolist(), key=lambda entry: entry.filename):
        parts = PurePosixPath(entry.filename).parts
        if not entry.is_dir() and not any(part.startswith((".", "__MACOSX")) for part in parts):
            yield labelled(entry.filename, partial(unpacked, archive, entry))


class Archive:
    """An open zip; a process that is handed one opens it once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = zipfile.ZipFile(path)

    def __reduce__(self) -> tuple[Callable[[Path], "Archive"], tuple[Path]]:
        return opened_once, (self.path,)


@lru_cache(maxsize=2)
def opened_once(path: Path) -> Archive:
    return Archive(path)


def unpacked(archive: Archive, entry: zipfile.ZipInfo) -> bytes:
    """Never more than a picture may have, whatever the zip promises."""
    try:
        with archive.file.open(entry) as file:
            return within(file.read(MOST_BYTES + 1))
    except UNPACKING as error:
        if isinstance(error, PictureError):
            raise
        raise PictureError(DAMAGED) from None


def in_list(path: Path) -> Iterator[Item]:
    """A path a line, as seen from the folder of the list; what follows a tab is the label."""
    with path.open(encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            name, _, label = line.rstrip("\r\n").partition("\t")
            if name.strip():
                yield Item(plain(name), plain(label) or None, partial(contents, path.parent / name))


def labelled(name: str, read: Callable[[], bytes]) -> Item:
    """A file whose label is the folder it lies in; without one where it lies in none."""
    return Item(plain(name), plain(PurePosixPath(name).parent.name) or None, read)


def unreadable(name: str, reason: str) -> Item:
    """What stands for files nobody can get at."""

    def refuse() -> bytes:
        raise PictureError(reason)

    return Item(plain(name), None, refuse)


def within(data: bytes) -> bytes:
    """Raises PictureError for more than the file of a picture may have."""
    if len(data) > MOST_BYTES:
        raise PictureError(f"This file is longer than {MOST_BYTES // 1_000_000} MB.")
    return data


def plain(name: str) -> str:
    """Text that can be written down, whatever bytes a name was made of."""
    return name.encode("utf-8", "replace").decode("utf-8")
