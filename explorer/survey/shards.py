"""Shards: tar files whose entries with one stem belong together, `0001.jpg` and its label `0001.cls`.

The layout of WebDataset (https://github.com/webdataset/webdataset), read with the standard library.
"""

import re
import tarfile
from collections.abc import Iterator
from functools import partial
from glob import glob
from pathlib import Path

from explorer.decoding.files import MOST_BYTES
from explorer.errors import ChoiceError, PictureError
from explorer.survey.sources import Item, labelled, plain, unreadable, within

RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")
LONGEST_LABEL = 1000  # bytes


def is_pattern(source: str) -> bool:
    """Whether a source names tar files."""
    return source.lower().endswith(".tar") or bool(RANGE.search(source))


def in_shards(pattern: str) -> Iterator[Item]:
    """The pictures of all shards, one shard after the other. Raises ChoiceError where there is none."""
    shards = [path for one in spelled(pattern) for path in (sorted(glob(one)) or missing(one))]
    if not any(Path(path).is_file() for path in shards):
        raise ChoiceError(f"There is no shard {pattern}.")
    for path in shards:
        yield from in_shard(Path(path))


def missing(one: str) -> list[str]:
    """A shard that was named and is not there is told of; a pattern that fits nothing is not."""
    return [] if re.search(r"[*?\[]", one) else [one]


def spelled(pattern: str) -> Iterator[str]:
    """The names a pattern `a-{000..003}.tar` stands for; `*` and `?` stay as they are."""
    found = RANGE.search(pattern)
    if found is None:
        yield pattern
        return
    first, last = found.groups()
    for number in range(int(first), int(last) + 1):
        yield from spelled(pattern[: found.start()] + f"{number:0{len(first)}}" + pattern[found.end() :])


def in_shard(path: Path) -> Iterator[Item]:
    """The pictures of one shard, in its order; where it is damaged, what stands for the rest of it."""
    try:
        with tarfile.open(path, "r:") as archive:
            group: list[tarfile.TarInfo] = []
            while (entry := archive.next()) is not None:
                vars(archive)["members"] = []  # else all that was met is held
                if not entry.isreg() or Path(entry.name).name.startswith("."):
                    continue
                if group and key(entry.name) != key(group[0].name):
                    yield from together(path, group)
                    group = []
                group = [*group, entry]
            yield from together(path, group)
    except (tarfile.TarError, OSError, EOFError, ValueError):
        yield unreadable(
            path.name, "This shard is damaged, cut short or not there; the rest of it is left out."
        )


def together(path: Path, group: list[tarfile.TarInfo]) -> Iterator[Item]:
    """The pictures among entries of one stem, with the label beside them, else that of their folder."""
    label = None
    for entry in group:
        if entry.name.lower().endswith(".cls") and entry.size <= LONGEST_LABEL:
            label = plain(cut(path, entry).decode("utf-8", "replace").strip()) or None
    for entry in group:
        if entry.name.lower().endswith(PICTURES):
            item = labelled(entry.name, partial(cut, path, entry))
            yield Item(f"{path.name}/{item.name}", label or item.label, item.read)


def key(name: str) -> str:
    """What entries that belong together share: all up to the first dot of the file's name."""
    folder, slash, file = name.rpartition("/")
    return folder + slash + file.partition(".")[0]


def cut(path: Path, entry: tarfile.TarInfo) -> bytes:
    """The bytes of one entry. Raises PictureError where they are not there, or too many."""
    try:
        with path.open("rb") as file:
            file.seek(entry.offset_data)
            data = within(file.read(min(entry.size, MOST_BYTES + 1)))
    except (OSError, ValueError) as error:
        if isinstance(error, PictureError):
            raise
        raise PictureError("This shard could not be opened.") from None
    if len(data) < entry.size:
        raise PictureError("This shard is cut short.")
    return data
