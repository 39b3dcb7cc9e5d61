"""Parsers whose help and mistakes are in the language of the computer: English or Chinese."""

import argparse
from collections.abc import Iterable
from typing import Any, NoReturn

from explorer.report.language import localised


class Helped(argparse.HelpFormatter):
    """Help that begins in the right language."""

    def add_usage(
        self, usage: str | None, actions: Iterable, groups: Iterable, prefix: str | None = None
    ) -> None:
        super().add_usage(usage, actions, groups, localised("usage:") + " " if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """Reads words; whatever it says of them is put into the language of the computer."""

    def __init__(self, **told_of: Any) -> None:
        said = {name: localised(told_of[name]) for name in ("description", "epilog") if told_of.get(name)}
        super().__init__(**{"formatter_class": Helped, **told_of, **said})

    def add_argument(self, *names: str, **told_of: Any) -> argparse.Action:
        said = {"help": localised(told_of["help"])} if told_of.get("help") else {}
        return super().add_argument(*names, **{**told_of, **said})

    def add_argument_group(self, title: str | None = None, *more: Any, **told_of: Any) -> Any:
        return super().add_argument_group(title and localised(title), *more, **told_of)

    def error(self, message: str) -> NoReturn:
        super().error(localised(message))
