"""The command line: a question a command, many pictures at once, with `--json` for programs.

Ends with 0, or with 2 and one sentence on standard error for each thing a person did wrong; the answers to
all else are still given.
"""

import json
import sys
from pathlib import Path

from explorer.command_line.arguments import parser
from explorer.command_line.asked import Answered
from explorer.command_line.commands import COMMANDS
from explorer.errors import ExplorerError
from explorer.explorer import Explorer
from explorer.report.language import localised


def main(words: list[str] | None = None) -> int:
    asked = parser().parse_args(words)
    try:
        answered = COMMANDS[asked.command](Explorer(asked.device), asked)
        told = json.dumps(answered.data, indent=2) + "\n" if asked.json else answered.text
        sys.stdout.write(told)
        if asked.out:
            keep(answered, asked.out, asked.command, told, "json" if asked.json else "txt")
    except ExplorerError as error:
        sys.stderr.write(f"{localised(str(error))}\n")
        return 2
    sys.stderr.write("".join(f"{sentence}\n" for sentence in answered.refused))
    return 2 if answered.refused else 0


def keep(answered: Answered, place: Path, command: str, told: str, kind: str) -> None:
    """Write what is printed, and its files, to a folder; of a document only the files.

    Raises ExplorerError where nothing can be written.
    """
    printed = {} if answered.document else {f"{command}.{kind}": told.encode()}
    folder = place.parent if answered.document else place
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in {**printed, **answered.files}.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise ExplorerError(f"Nothing can be written to {place}: {error.strerror}.") from error
