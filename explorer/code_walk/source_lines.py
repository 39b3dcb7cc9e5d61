"""The source of a function as statements: where each begins, which axes it names, which equation it is.

Read from the file, so that what is shown is what ran.
"""

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

EQUATION = re.compile(r"^\s*#\s*((?:eq\.|§|fig\.|Algorithm).*)$")
AXES = re.compile(r"\([^)]*\)|\S+")
PATTERN_CALLS = {"rearrange", "reduce", "repeat", "einsum"}


@dataclass(frozen=True)
class Statement:
    """One statement, or the head of a compound one; lines count from 1 in the file."""

    first: int
    last: int
    source: str  # as it stands in the file, without the common indentation
    equation: str  # of the paper, where a comment above it states one
    patterns: tuple[str, ...]  # of einops; the name of the variable where one holds the pattern
    returns: bool


@dataclass(frozen=True)
class Listing:
    """The source of one function and its statements."""

    name: str  # "WeightedPermuteMlp.forward"
    file: str  # relative to the project or to where packages are installed
    first: int  # line of `def`
    lines: tuple[str, ...]  # from there on, as they stand in the file
    statements: tuple[Statement, ...]
    arguments: dict[str, tuple[str, ...]]  # axes by name of an argument, where the annotation names them
    returned: tuple[str, ...]  # axes of what is returned, where the annotation names them

    def statement(self, line: int) -> Statement | None:
        """The statement a line belongs to."""
        return next((one for one in self.statements if one.first <= line <= one.last), None)


def axes_in(text: str) -> tuple[str, ...]:
    """`"b h (w s)"` -> `("b", "h", "(w s)")`."""
    return tuple(AXES.findall(text))


@lru_cache(maxsize=64)
def parsed(file: str) -> tuple[ast.Module, tuple[str, ...]]:
    source = Path(file).read_text("utf-8")
    return ast.parse(source), tuple(source.splitlines())


@lru_cache(maxsize=512)
def listing(file: str, line: int) -> Listing | None:
    """The function that begins at a line of a file, or None. Raises OSError where there is no such file."""
    tree, lines = parsed(file)
    found = find(tree, line)
    if found is None:
        return None
    owner, node = found
    return Listing(
        name=f"{owner}.{node.name}" if owner else node.name,
        file=relative(file),
        first=node.lineno,
        lines=lines[node.lineno - 1 : node.end_lineno],
        statements=tuple(statements(node, lines)),
        arguments={
            one.arg: axes
            for one in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            if (axes := annotated(one.annotation))
        },
        returned=annotated(node.returns),
    )


def find(tree: ast.Module, line: int) -> tuple[str, ast.FunctionDef] | None:
    """The function whose `def`, or first decorator, stands in a line, and the class it belongs to."""
    for owner in ast.walk(tree):
        for node in ast.iter_child_nodes(owner):
            if isinstance(node, ast.FunctionDef) and line in range(starts(node), node.lineno + 1):
                return (owner.name if isinstance(owner, ast.ClassDef) else ""), node
    return None


def starts(node: ast.FunctionDef) -> int:
    return min([node.lineno, *(one.lineno for one in node.decorator_list)])


def statements(node: ast.stmt, lines: tuple[str, ...]) -> list[Statement]:
    """The head of a function and all statements in it, in the order of the file, comments left out."""
    found = [made(node, lines)]
    for child in getattr(node, "body", []) + getattr(node, "orelse", []):
        if not is_docstring(child):
            found += statements(child, lines)
    return found


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def made(node: ast.stmt, lines: tuple[str, ...]) -> Statement:
    body = getattr(node, "body", None)
    last = head_end(node, body[0]) if body else (node.end_lineno or node.lineno)
    text = lines[node.lineno - 1 : last]
    indent = len(text[0]) - len(text[0].lstrip())
    return Statement(
        first=node.lineno,
        last=last,
        source="\n".join(line[indent:] if not line[:indent].strip() else line for line in text),
        equation=equation_above(node.lineno, lines),
        patterns=() if body else tuple(patterns(node)),
        returns=isinstance(node, ast.Return),
    )


def head_end(node: ast.stmt, first: ast.stmt) -> int:
    """Last line of the head of a compound statement; a docstring or a comment is no part of it."""
    ends = [node.lineno]
    for field in ("test", "iter", "returns"):
        part = getattr(node, field, None)
        ends += [part.end_lineno] if part is not None else []
    if isinstance(node, ast.FunctionDef) and node.args.args:
        ends.append(node.args.args[-1].end_lineno or node.lineno)
    return min(max(ends), max(node.lineno, first.lineno - 1))


def equation_above(line: int, lines: tuple[str, ...]) -> str:
    """What the comment right above a line says of the paper; nothing where it is an ordinary one."""
    said: list[str] = []
    while line > 1 and lines[line - 2].lstrip().startswith("#"):
        line -= 1
        said.insert(0, lines[line - 1])
    matched = [match[1] for match in map(EQUATION.match, said) if match]
    return "; ".join(matched)


def patterns(node: ast.stmt) -> list[str]:
    found: list[str] = []
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in PATTERN_CALLS:
            for one in call.args:
                if isinstance(one, ast.Constant) and isinstance(one.value, str) and "->" in one.value:
                    found.append(one.value)
                elif isinstance(one, ast.Name) and one is not call.args[0]:
                    found.append(one.id)
    return found


def annotated(node: ast.expr | None) -> tuple[str, ...]:
    """The axes in `Float[Tensor, "b h w c"]`."""
    inside = getattr(getattr(node, "slice", None), "elts", [])
    said = [one.value for one in inside if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return axes_in(said[0]) if len(said) == 1 else ()


def relative(file: str) -> str:
    """`models/vision_permutator.py`, `torch/nn/modules/linear.py`: a path that says something anywhere."""
    parts = Path(file).parts
    if "site-packages" in parts:
        return "/".join(parts[len(parts) - parts[::-1].index("site-packages") :])
    return "/".join(parts[-2:])
