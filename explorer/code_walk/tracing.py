"""Follow Python line by line through one module, and keep the tensors every line made.

The trace function belongs to the thread. Parts of the module that are modules themselves count as one call
each; helpers in the files of the network are followed too.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from explorer.code_walk.shape_axes import ShapeAxes
from explorer.code_walk.source_lines import Listing, Statement, axes_in, listing
from models.probe import Probe

TORCH = str(Path(torch.__file__).parent)


@dataclass(frozen=True, eq=False)
class Made:
    """One tensor on the CPU that a line made."""

    name: str  # of the variable, "self.norm1" for what a part of the block gave, "returns"
    value: Tensor
    axes: tuple[str, ...]  # as the source names them; "" where it does not
    module: str = ""  # name in the network of the part that gave it, to walk into


@dataclass(frozen=True)
class Call:
    """One function of the source that ran."""

    listing: Listing
    depth: int  # 0 is the forward of the block
    parent: int | None


def folder_of(kind: type) -> str:
    """Where the file of a class lies; nowhere for one that was written in a notebook."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return str(Path(file).parent) if file else "\0"


@dataclass
class Running:
    """A function that has begun and not yet ended."""

    index: int
    listing: Listing
    statement: Statement
    step: int
    seen: dict[str, object] = field(default_factory=dict)  # its variables when they were last looked at
    parts: list[Made] = field(default_factory=list)  # what parts of the block gave since then


class Tracer:
    """Follows the forward of one module.

    While it runs, events are only noted; `told` makes `steps` of it afterwards. Nothing in `models/`
    writes into a tensor it has handed out, so a tensor that is kept stays what it was; models of others may,
    so theirs are copied at once.
    """

    def __init__(self, root: nn.Module, prefix: str, shapes: ShapeAxes | None = None) -> None:
        """shapes: what tells the axes of a model of others, whose source may name none."""
        self.root = root
        self.shapes = shapes
        self.copies: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}  # by number and times written into
        self.names = {id(module): name for name, module in root.named_modules()}
        self.prefix = prefix
        self.calls: list[Call] = []
        self.steps: list[dict] = []
        self.stack: list[Running] = []
        self.axes: dict[tuple[int, ...], tuple[str, ...]] = {}  # of tensors met so far, by shape
        self.folder = folder_of(type(root))
        self.inside = 0  # parts of the block that are running
        self.noted: list[Callable[[], None]] = []

    def told(self) -> list[dict]:
        """The steps, once the block has run."""
        for one in self.noted:
            one()
        return self.steps

    # What Python calls whenever a function begins; gives what to call for its lines.

    def begins(self, frame: FrameType, event: str, _arg: object) -> Callable | None:
        if self.inside:  # asked for every function there is: what is common comes first
            return None
        code = frame.f_code
        if code.co_name == "forward" and not code.co_filename.startswith("<"):  # of no file: some wrapper's
            return self.module_begins(frame)
        if not self.stack or not code.co_filename.startswith(self.folder) or code.co_name.startswith("<"):
            return None
        found = helper(code.co_filename, code.co_firstlineno, self.folder)
        return self.enter(frame, found) if found else None

    def module_begins(self, frame: FrameType) -> Callable | None:
        code = frame.f_code
        module = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
        if not isinstance(module, nn.Module):
            return None
        if module is self.root and not self.stack:
            found = listing(code.co_filename, code.co_firstlineno)
            return self.enter(frame, found) if found else None
        if not self.stack:
            return None
        self.inside += 1
        frame.f_trace_lines = False
        return self.part(module, frame.f_locals, self.stack[-1])

    def part(self, module: nn.Module, variables: dict, running: Running) -> Callable:
        """Wait for a part of the block to end, and keep what it gave."""

        def ends(_frame: FrameType, event: str, given: object) -> Callable:
            if event == "return":
                self.inside -= 1
                taken = next((value for value in variables.values() if value is not module), None)
                self.noted.append(partial(self.keep_part, running, module, taken, self.kept(given)))
            return ends

        return ends

    def keep_part(self, running: Running, module: nn.Module, taken: object, given: Any) -> None:
        if isinstance(module, Probe):
            own = axes_in(module.pattern.split("->")[0])
            for value in [given] if isinstance(given, Tensor) else given:
                self.axes[tuple(value.shape)] = own if isinstance(given, Tensor) else own[1:]
            return
        name = self.names.get(id(module), "")
        for label, value in named(f"self.{name}", given):
            same = self.axes.get(tuple(taken.shape), ()) if isinstance(taken, Tensor) else ()
            if (
                len(same) == value.ndim and self.shapes is None
            ):  # a layer changes how long axes are, not which
                self.axes.setdefault(tuple(value.shape), same)
            full = f"{self.prefix}.{name}" if self.prefix else name
            axes = self.shapes(value, module, full) if self.shapes else self.axes_of(value)
            running.parts.append(Made(label, value, axes, full))

    # One function of the source, line by line.

    def enter(self, frame: FrameType, found: Listing) -> Callable:
        caller = self.stack[-1] if self.stack else None
        index = len(self.calls)
        self.calls.append(Call(found, len(self.stack), caller.index if caller else None))
        if caller:
            self.steps[caller.step]["enters"].append(index)
        head = found.statements[0]
        running = Running(index, found, head, self.new_step(index, head))
        self.stack.append(running)
        self.noted.append(partial(self.name_arguments, found, self.kept(dict(frame.f_locals))))
        return self.line

    def name_arguments(self, found: Listing, variables: dict) -> None:
        for name, axes in found.arguments.items():
            for _, value in named(name, variables.get(name)):
                if value.ndim == len(axes):
                    self.axes[tuple(value.shape)] = axes

    def new_step(self, call: int, statement: Statement) -> int:
        self.steps.append({"call": call, "statement": statement, "made": [], "patterns": (), "enters": []})
        return len(self.steps) - 1

    def line(self, frame: FrameType, event: str, given: object) -> Callable:
        running = self.stack[-1]
        if event == "line":
            following = running.listing.statement(frame.f_lineno)
            if following is not None and following is not running.statement:
                self.finished(running, frame)
                running.statement, running.step = following, self.new_step(running.index, following)
        elif event == "return":
            self.finished(running, frame, given)
            self.stack.pop()
            if running.index and not named("", given):
                self.noted.append(partial(self.forget, running))
        return self.line

    def finished(self, running: Running, frame: FrameType, returned: object = None) -> None:
        """The statement in hand has run."""
        step, variables = self.steps[running.step], self.kept(dict(frame.f_locals))
        returned = self.kept(returned)
        self.noted.append(partial(self.finish, running, step, running.statement, variables, returned))

    def finish(
        self, running: Running, step: dict, statement: Statement, variables: dict, returned: object
    ) -> None:
        """Whatever variables are new since the statement began, it made."""
        found = (one if "->" in one else variables.get(one) for one in statement.patterns)
        step["patterns"] = tuple(one for one in found if isinstance(one, str) and "->" in one)
        new = {n: v for n, v in variables.items() if n != "self" and running.seen.get(n) is not v}
        made = [pair for name, value in new.items() for pair in named(name, value)]
        if statement.returns:
            made += named("returns", returned)
            self.name_axes([v for _, v in named("", returned)], running.listing.returned)
        if len(step["patterns"]) == 1:
            self.name_axes([value for _, value in made], axes_in(step["patterns"][0].split("->")[1]))
        step["made"] = [*running.parts, *(Made(name, v, self.axes_of(v)) for name, v in made)]
        running.seen, running.parts = variables, []

    def name_axes(self, values: list[Tensor], axes: tuple[str, ...]) -> None:
        """Remember what the axes of these are called; of a tensor taken apart, the first is gone."""
        for value in values:
            rest = axes[len(axes) - value.ndim :]
            if len(rest) == value.ndim and len(axes) - value.ndim <= 1:
                self.axes[tuple(value.shape)] = rest

    def kept(self, value: Any) -> Any:
        """What a variable holds, safe from being written into: of a model of others a copy, made once."""
        if self.shapes is None:
            return value
        if isinstance(value, dict):
            return {name: self.kept(one) for name, one in value.items()}
        if type(value) in (list, tuple):
            return type(value)(map(self.kept, value))
        if not isinstance(value, Tensor) or isinstance(value, nn.Parameter):
            return value
        key = id(value), 0 if value.is_inference() else value._version
        if key not in self.copies:
            self.copies[key] = value, value.detach().clone()
        return self.copies[key][1]

    def axes_of(self, value: Tensor) -> tuple[str, ...]:
        """As last named for this shape, or for a stack of it, or for as many axes; else unnamed."""
        shape = tuple(value.shape)
        if shape in self.axes:
            return self.axes[shape]
        if self.shapes is not None:
            return self.shapes(value)
        stacks = (axes[1:] for known, axes in self.axes.items() if known[1:] == shape)
        alike = (axes for known, axes in self.axes.items() if len(known) == len(shape) > 1)
        return next(stacks, None) or next(alike, None) or ("",) * len(shape)

    def forget(self, running: Running) -> None:
        """A helper that made no tensor, such as a property, is not worth a step."""
        self.steps = [step for step in self.steps if step["call"] != running.index]
        for step in self.steps:
            step["enters"] = [call for call in step["enters"] if call != running.index]


@lru_cache(maxsize=4096)
def helper(file: str, line: int, folder: str) -> Listing | None:
    """A function in the files of the network that is no module; None for all others."""
    path = Path(file)
    if path.is_relative_to(TORCH) or path.parent != Path(folder) or path.name == "probe.py":
        return None
    return listing(file, line)


def named(name: str, value: object) -> list[tuple[str, Tensor]]:
    """A tensor, or each of a few in a list or tuple, under names that say which."""
    if isinstance(value, Tensor):
        return [(name, value.detach())] if value.numel() else []
    if isinstance(value, list | tuple) and value and all(isinstance(one, Tensor) for one in value):
        return [(f"{name}[{i}]", one.detach()) for i, one in enumerate(value)]
    return []
