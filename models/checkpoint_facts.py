"""What bundled checkpoints say of themselves, and what was measured of them after training."""

import json
from pathlib import Path

from safetensors import safe_open

from models.sources import sha256


def facts_of(path: Path) -> dict:
    """What a bundled checkpoint says of itself."""
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["mixscope"])


def measured(folder: Path) -> list[dict]:
    """What `explorer.after_training` measured of the very files that lie in a folder."""
    told = [
        json.loads(path.read_text("utf-8")) for path in sorted((folder.parent / "familiar").glob("*.json"))
    ]
    return [one for one in told if is_of(one, folder)]


def is_of(told: dict, folder: Path) -> bool:
    kind = "" if told["weights"] == "scenes" else f".{told['weights']}"
    path = folder / f"{told['name']}{kind}.safetensors"
    return path.is_file() and sha256(path) == told["checkpoint"]


def table(head: tuple, rows: list[tuple]) -> str:
    """Rows as Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
