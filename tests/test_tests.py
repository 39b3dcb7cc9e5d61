"""No test can end without having asserted something, and what looks for such tests finds them."""

import ast
from pathlib import Path

import pytest

from tests.assertions import asserting_helpers, silent_tests


def test_every_test_asserts_on_every_way_through_it():
    files = {path.name: ast.parse(path.read_text("utf-8")) for path in Path(__file__).parent.glob("*.py")}
    helpers = (asserting_helpers(tree) for name, tree in files.items() if not name.startswith("test_"))
    shared = frozenset[str]().union(*helpers)
    found = {(name, test): line for name, tree in files.items() for test, line in silent_tests(tree, shared)}
    assert [f"{name}:{found[name, test]} {test}" for name, test in found] == []


def ends(body: str, before: str = "", elsewhere: frozenset[str] = frozenset()) -> list[int]:
    """The lines where a test of this body ends silently, counted from its `def`, which is line 0."""
    lines = [before, "def test_it():", *(f"    {line}" for line in body.split("\n"))]
    start = before.count("\n") + 2
    return [line - start for _, line in silent_tests(ast.parse("\n".join(lines)), elsewhere)]


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("compute()", [1]),
        ("found == 1", [1]),
        ("if refused():\n    return\nassert 1", [2]),
        ("if refused():\n    assert 1", [2]),
        ("if refused():\n    assert 1\nelse:\n    compute()", [4]),
        ("with opened():\n    return\nassert 1", [2]),
        ("for one in many:\n    compute(one)", [2]),
        ("for one in many:\n    if one:\n        return\nassert 1", [3]),
        ("try:\n    compute()\nexcept ValueError:\n    pass", [4]),
        ("def never_called():\n    assert 1", [2]),
        ("check = lambda: expect(page)", [1]),
        ("return 1", [1]),
    ],
)
def test_a_silent_end_is_found(body, lines):
    assert ends(body) == lines


@pytest.mark.parametrize(
    "body",
    [
        "assert 1",
        "with pytest.raises(ValueError):\n    compute()",
        "expect(page).to_have_title('x')",
        "np.testing.assert_array_equal(a, b)",
        "for one in many:\n    assert one",
        "if refused():\n    assert 1\nelse:\n    assert 2",
        "if refused():\n    pytest.skip('why')\nassert 1",
        "assert 1\nif refused():\n    return",
        "match found:\n    case _:\n        pass\nassert 1",
    ],
)
def test_a_test_that_asserts_is_left_alone(body):
    assert ends(body) == []


def test_a_helper_counts_where_it_always_asserts():
    assert ends("check()", "def check():\n    assert 1") == []
    assert ends("check()", "def check():\n    if x:\n        assert 1") == [1]
    assert ends("check()", "def check():\n    raise ValueError") == [1]
    assert ends("outer()", "def outer():\n    check()\n\ndef check():\n    assert 1") == []
    assert ends("found.check()", "def check():\n    assert 1") == [1]


def test_a_helper_of_another_file_counts_where_it_is_imported():
    assert ends("check()", "from tests.other import check", frozenset({"check"})) == []
    assert ends("check()", "", frozenset({"check"})) == [1]
