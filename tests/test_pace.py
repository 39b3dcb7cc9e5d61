"""The page is told of work that goes on as often as it can draw."""

import itertools

import pytest

from explorer.ui import throttle as pace


@pytest.fixture
def tenths(monkeypatch):
    """A clock that goes on by a tenth of a second whenever it is read."""
    ticks = itertools.count()
    monkeypatch.setattr(pace.time, "monotonic", lambda: next(ticks) / 10)


def test_the_first_and_the_last_part_are_drawn_and_few_in_between(tenths):
    drawn = list(pace.throttled(range(100)))
    assert drawn[0] == 0
    assert drawn[-1] == 99
    gaps = [later - earlier for earlier, later in itertools.pairwise(drawn[:-1])]
    assert set(gaps) == {3}  # a tenth each; the clock is read once more when a part was drawn


def test_a_lone_part_is_drawn_once_and_nothing_stays_nothing(tenths):
    assert list(pace.throttled(["all"])) == ["all"]
    assert list(pace.throttled([])) == []


def test_what_is_closed_asks_for_nothing_more(tenths):
    asked = []
    parts = pace.throttled(asked.append(one) or one for one in range(100))
    next(parts)
    parts.close()
    assert asked == [0]
