"""Places and redraws keep their meaning on the way from the page to a handler and into a link."""

import pytest

from explorer.ui.events import MIDDLE, Place, PlaceBox, Redraw, RedrawBox
from explorer.ui.tabs.mixing.place import FieldQuestion, QuestionBox


@pytest.mark.parametrize("rows", [1, 3, 7, 112])
def test_a_place_is_the_same_cell_in_the_map_it_was_chosen_in(rows):
    for row in range(rows):
        place = Place.of_cell(row, rows - 1 - row, rows, rows)
        assert place.cell(rows, rows) == (row, rows - 1 - row)
        assert Place.read(str(place)).cell(rows, rows) == (row, rows - 1 - row), "and by way of a link"


def test_a_place_at_the_border_lies_in_the_last_cell():
    assert Place(1.0, 0.0).cell(4, 4) == (3, 0)
    assert MIDDLE.cell(8, 5) == (4, 2)


@pytest.mark.parametrize(
    "text",
    [None, "", "1", "a,b", "0.5", "0.5,0.5,0.5", "-0.1,0.5", "0.5,1.1", "nan,0.5", "inf,0", "500_500", "²,1"],
)
def test_what_is_no_place_counts_as_none(text):
    assert Place.read(text) is None
    assert PlaceBox().preprocess(text) is None


def test_values_come_back_as_they_were_sent():
    place = PlaceBox()
    assert place.preprocess(place.postprocess(Place(0.25, 0.125))) == Place(0.25, 0.125)
    redraw = RedrawBox()
    assert redraw.preprocess(redraw.postprocess(Redraw("model=a b", 3))) == Redraw("model=a b", 3)
    asked = FieldQuestion(Redraw("x", 1), "feels", "a.b", Place(0.5, 0.25), "all")
    box = QuestionBox()
    assert box.preprocess(box.postprocess(asked)) == asked


@pytest.mark.parametrize("text", [None, "", "[]", "7", "{", '{"count": "x"}', '{"redraw": 1}', "null"])
def test_hostile_text_is_an_empty_value(text):
    assert RedrawBox().preprocess(text) == Redraw()
    assert QuestionBox().preprocess(text) == FieldQuestion()


def test_a_redraw_can_be_asked_for_again():
    once = Redraw("link", 1)
    assert once.again != once
    assert once.again.link == once.link
