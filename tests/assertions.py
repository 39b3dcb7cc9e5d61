"""Whether a test can end without having asserted anything, read from its syntax tree."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

ASSERTING = {"expect", "raises", "warns"}  # and whatever is named assert_...: of numpy, of torch
LEAVING = {"skip", "xfail", "fail"}  # of pytest: the test is not counted as passed
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def last_name(node: ast.AST) -> str:
    """`c` of the expressions `c` and `a.b.c`, "" of others."""
    return getattr(node, "attr", "") or getattr(node, "id", "")


def inner(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what is in it, but for what only functions defined there would do."""
    if isinstance(node, FUNCTIONS | ast.Lambda):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from inner(child)


def leaves(node: ast.stmt) -> bool:
    """Whether a statement ends the test as one that was not passed."""
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and last_name(call.func) in LEAVING


@dataclass(frozen=True)
class Reading:
    """Follows statements, knowing which functions assert whenever they are called."""

    helpers: frozenset[str] = frozenset()

    def asserts(self, node: ast.AST) -> bool:
        """Whether an expression, or a statement without branches, asserts."""
        calls = [one.func for one in inner(node) if isinstance(one, ast.Call)]
        if any(isinstance(call, ast.Name) and call.id in self.helpers for call in calls):
            return True
        return any(name in ASSERTING or name.startswith("assert_") for name in map(last_name, calls))

    def silent_ends(self, body: list[ast.stmt]) -> tuple[list[int], bool]:
        """(lines where the function returns before it asserted, whether it goes on behind `body` without).

        A loop counts as gone through once, and its `else` as not at all; whatever is in a `with` or a `try`
        as done.
        """
        ends: list[int] = []
        for statement in body:
            if isinstance(statement, ast.Assert | ast.Raise):
                return ends, False
            if isinstance(statement, ast.Return):
                return [*ends, *([] if self.asserts(statement) else [statement.lineno])], False
            if isinstance(statement, ast.If):
                found = [self.silent_ends(branch) for branch in (statement.body, statement.orelse)]
                ends += [line for lines, _ in found for line in lines]
                if self.asserts(statement.test) or not any(goes_on for _, goes_on in found):
                    return ends, False
            elif isinstance(statement, ast.For | ast.While | ast.With | ast.Try):
                heads = [
                    child for child in ast.iter_child_nodes(statement) if not isinstance(child, ast.stmt)
                ]
                if any(self.asserts(head) for head in heads if not isinstance(head, ast.ExceptHandler)):
                    return ends, False
                lines, goes_on = self.silent_ends(statement.body + getattr(statement, "finalbody", []))
                ends += lines
                if not goes_on:
                    return ends, False
            elif leaves(statement) or self.asserts(statement):
                return ends, False
        return ends, True

    def always_asserts(self, function: FUNCTIONS) -> bool:
        """Whether a call of it asserts, and does not only raise."""
        says = any(isinstance(one, ast.Assert) or self.asserts(one) for one in ast.walk(function))
        return says and self.silent_ends(function.body) == ([], False)


def asserting_helpers(tree: ast.Module, elsewhere: frozenset[str] = frozenset()) -> frozenset[str]:
    """Names a file may call to assert: of its own functions, and of those `elsewhere` that it imports."""
    nodes = list(ast.walk(tree))
    functions = [node for node in nodes if isinstance(node, FUNCTIONS)]
    known = elsewhere & {one.name for node in nodes if isinstance(node, ast.ImportFrom) for one in node.names}
    while True:  # one may assert through another
        more = known | {one.name for one in functions if Reading(known).always_asserts(one)}
        if more == known:
            return known
        known = more


def silent_tests(tree: ast.Module, elsewhere: frozenset[str] = frozenset()) -> Iterator[tuple[str, int]]:
    """(test, line where it ends) of every way a test can end without an assertion."""
    reading = Reading(asserting_helpers(tree, elsewhere))
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS) and node.name.startswith("test_"):
            ends, goes_on = reading.silent_ends(node.body)
            for line in [*ends, *([node.end_lineno] if goes_on else [])]:
                yield node.name, line or node.lineno
