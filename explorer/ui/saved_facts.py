"""What a saved file says of itself: of which model, weights, class and picture it is, and what was chosen.

An npz has one array more, `about`, a JSON text: these facts, and under `arrays` of each array its axes and
the unit of its values. A PNG has the same facts as text chunks (iTXt).
"""

import io
import json
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer.explorer import Explorer
from explorer.ui.selection import Selection, picture_told

ABOUT = "about"
AXIS = re.compile(r"\([^)]*\)|\S+")  # several that count as one stand in brackets
SIGNATURE_AND_HEADER = 33  # bytes of a PNG before what may follow its header


def facts(explorer: Explorer, selection: Selection, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Of what a file is saved; `settings` are the values of the view's controls by their names."""
    about = {"model": selection.model, "weights": selection.choice_told, "class": None, "picture": None}
    if selection.picture is not None:
        about |= {"picture": picture_told(selection.picture), "digest": explorer.digest(selection.picture)}
        about["class"] = explained(explorer, selection)
    return {**about, "settings": {name: plain(value) for name, value in settings.items()}}


def explained(explorer: Explorer, selection: Selection) -> str | None:
    """The class that is explained; None for a single block, which has none."""
    labels = selection.loaded(explorer).labels
    if not labels:
        return None
    if selection.target is not None and selection.target < len(labels):
        return labels[selection.target]
    return explorer.predict(*selection.question)[0].label


def plain(value: Any) -> Any:
    """A value of a control as JSON has it."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, str) and Path(value).is_absolute():  # of this machine nothing is told
        return picture_told(value)
    return value if value is None or isinstance(value, str | int | float) else str(value)


def of_arrays(axes: Mapping[str, str], arrays: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Axes and unit of each array, from `"row column: logit"` by its name, or by "" for all others."""
    told = {name: axes.get(name, axes.get("", "")).partition(":") for name in arrays}
    return {
        name: {"axes": AXIS.findall(named), "unit": unit.strip()} for name, (named, _, unit) in told.items()
    }


def with_facts(content: bytes, about: Mapping[str, Any]) -> bytes:
    """A file that also says what it is of; one that is neither npz nor PNG stays as it is."""
    if content.startswith(b"PK"):
        return in_npz(content, about)
    return in_png(content, about) if content.startswith(b"\x89PNG") else content


def in_npz(content: bytes, about: Mapping[str, Any]) -> bytes:
    with np.load(io.BytesIO(content)) as saved:
        known = json.loads(str(saved[ABOUT]))
        arrays = {name: saved[name] for name in saved.files if name != ABOUT}
    return packed({**about, **known}, arrays)


def packed(about: Mapping[str, Any], arrays: Mapping[str, Any]) -> bytes:
    """The bytes of an npz."""
    file = io.BytesIO()
    kept: dict[str, Any] = {**arrays, ABOUT: json.dumps(about)}
    np.savez_compressed(file, **kept)
    return file.getvalue()


def in_png(content: bytes, about: Mapping[str, Any]) -> bytes:
    texts = {name: one if isinstance(one, str) else json.dumps(one) for name, one in about.items()}
    chunks = b"".join(chunk(b"iTXt", name.encode() + bytes(5) + one.encode()) for name, one in texts.items())
    return content[:SIGNATURE_AND_HEADER] + chunks + content[SIGNATURE_AND_HEADER:]


def chunk(kind: bytes, data: bytes) -> bytes:
    """Length, kind, data and checksum, as PNG has them."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
