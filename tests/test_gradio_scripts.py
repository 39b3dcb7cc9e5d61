"""Gradio's page does less work with the scripts that are changed, and asks once for what was chosen."""

import json
import re
from fnmatch import fnmatch

import pytest
from playwright.sync_api import Request, expect

from explorer.ui import gradio_scripts
from explorer.ui.gradio_scripts import CHANGES, EVENTS_AMONG_ALL, REMEMBERED, WALK, changed
from tests.on_page import choose, settled

COMPARED = """
([walk, amongAll, remembered]) => {
  const before = new Function(
    `${walk} const events = (e, t) => { ${amongAll} return n }; return [Z, events]`
  );
  const after = new Function(
    `${remembered} return [Z, (e, t) => eventsByComponent(t).get(e.id) ?? []]`
  );
  const [find, events] = before(), [findNow, eventsNow] = after();
  const leaf = id => ({id});
  const tree = {id: 1, children: [leaf(2), {id: 3, children: [leaf(4), {id: 5, children: []}]}, leaf(6)]};
  const other = {id: 1, children: [{id: 3, children: [leaf(5), leaf(4), leaf(7)]}, leaf(6)]};
  const listeners = [
    {targets: [[2, "change"], [4, "input"], [2, "click"]]}, {targets: []},
    {targets: [[4, "change"], [null, "load"]]}, {targets: [[4, null], [6, "change"]]},
  ];
  const all = [];
  for (const root of [tree, other, tree, other])
    for (const id of [1, 2, 3, 4, 5, 6, 7, 8]) all.push([find(root, id) === findNow(root, id), id]);
  for (const id of [1, 2, 3, 4, 5, 6, null])
    all.push([JSON.stringify(events({id, props: {shared_props: {}}}, listeners))
      === JSON.stringify(eventsNow({id}, listeners)), id]);
  return all;
}
"""


# Every stream of answers says a while later that it ends.
ENDS_LATE = """
const fetched = window.fetch;
window.fetch = async (...asked) => {
  const answer = await fetched(...asked);
  if (!String(asked[0]?.url ?? asked[0]).includes('queue/data')) return answer;
  const late = new TransformStream({async transform(part, on) {
    if (new TextDecoder().decode(part).includes('close_stream')) {
      window.ending = true;
      await new Promise(done => setTimeout(done, 1000));
      window.ending = false;
    }
    on.enqueue(part);
  }});
  return new Response(answer.body.pipeThrough(late), {status: answer.status, headers: answer.headers});
};
"""


def test_every_passage_is_there_in_the_version_that_is_required():
    assert len(changed()) == len(CHANGES)


def test_what_is_looked_up_is_what_was_found_by_walking(visit):
    found = visit().evaluate(COMPARED, [WALK, EVENTS_AMONG_ALL, REMEMBERED])
    assert len(found) == 4 * 8 + 7
    assert [one for same, one in found if not same] == []


@pytest.mark.parametrize(("pattern", "passages"), CHANGES)
def test_the_page_is_made_of_them(visit, pattern, passages):
    page = visit()
    read = "url => fetch(url).then(answer => answer.text())"
    texts = [page.evaluate(read, f"/assets/{name}") for name in changed() if fnmatch(name, pattern)]
    assert sum(all(new in text for _, new in passages) for text in texts) == 1


@pytest.fixture
def asking(visit):
    """A page with a picture looked at, and the listeners asked since, by their numbers."""
    page = visit("/?picture=2-star&model=vip_nano&weights=scenes&tab=attribution&method=feature_ablation")
    expect(page.locator("#attribution .heat")).to_be_visible()
    settled(page)
    asked: list[int] = []

    def noted(request: Request) -> None:
        if "/queue/join" in request.url:
            asked.append(json.loads(request.post_data or "")["fn_index"])

    page.on("request", noted)
    return page, asked


def test_a_menu_asks_once_when_something_is_chosen_and_nothing_when_it_is_left(asking):
    page, asked = asking
    page.locator("#weights input").focus()
    page.keyboard.press("Tab")
    page.wait_for_timeout(300)
    assert asked == []

    choose(page, "target", "ring")
    expect(page).to_have_url(re.compile("target=4"))
    settled(page)
    assert len(set(asked)) == len(asked) > 1

    asked.clear()
    page.locator("#target input").select_text()
    page.keyboard.type("star")
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(re.compile("target=4"))
    settled(page)
    assert len(set(asked)) == len(asked) > 1


def test_a_slider_asks_once_when_it_is_moved_by_keys_and_nothing_when_its_number_is_left(asking):
    page, asked = asking
    number = page.get_by_label("number input for Segments")
    number.focus()
    page.keyboard.press("Tab")
    page.wait_for_timeout(300)
    assert asked == []

    page.get_by_label("range slider for Segments").press("ArrowRight")
    expect(page).to_have_url(re.compile("segments=37"))
    settled(page)
    assert len(set(asked)) == len(asked) >= 1

    asked.clear()
    number.fill("999")
    number.press("Enter")
    expect(number).to_have_value("144")
    settled(page)
    assert len(set(asked)) == len(asked) >= 1


TYPED_AT_ONCE = (  # all letters before anything is drawn
    "letters => { for (const letter of letters) document.execCommand('insertText', false, letter); }"
)


def test_a_number_typed_faster_than_is_drawn_stays_as_it_is_typed(follow):
    page = follow("/?tab=reweighting&lens=what_if&picture=2-star")
    box = page.get_by_label("number input for channel")
    box.fill("")
    settled(page)
    page.evaluate(TYPED_AT_ONCE, "12.")
    settled(page)
    page.keyboard.type("5")
    expect(page.locator("#what-if .changes")).to_contain_text("12.5")
    expect(box).to_have_value("12.5")


def test_what_is_asked_for_a_new_picture_is_not_ended_with_what_was_asked_for_the_old(visit, star, tmp_path):
    page = visit("/?picture=1-vertical-stripes&model=vip_nano&weights=scenes")
    expect(page.locator("#overview .why .heat")).to_be_visible()
    settled(page)
    asked: list[str] = []

    def noted(request: Request) -> None:
        found = re.search(r"/(join|cancel)\b", request.url)
        if found:
            number = json.loads(request.post_data or "")["fn_index"]
            asked.append(f"{found[1]} {number}")

    page.on("request", noted)
    star.save(tmp_path / "star.png")
    page.locator("#picture input[type=file]").set_input_files(str(tmp_path / "star.png"))
    expect(page).to_have_url(re.compile("picture=upload"))
    settled(page)
    drawn = {one.removeprefix("join ") for one in asked if one.startswith("join")}
    assert len(drawn) > 1
    for number in drawn:
        assert f"cancel {number}" not in asked[asked.index(f"join {number}") :]


COUNTED = """
const ask = window.requestAnimationFrame;
window.frames_asked = 0;
window.requestAnimationFrame = drawn => { window.frames_asked += 1; return ask(drawn); };
"""


def test_a_page_at_rest_draws_no_frames(asking):
    page, _ = asking
    page.add_init_script(COUNTED)
    page.reload()
    expect(page.locator("#attribution .heat")).to_be_visible()
    settled(page)

    def asked_in_a_second() -> int:
        before = page.evaluate("window.frames_asked")
        page.wait_for_timeout(1000)
        return page.evaluate("window.frames_asked") - before

    assert 0 in (asked_in_a_second() for _ in range(10))  # what has just appeared fades in


def test_what_is_asked_while_the_answers_end_is_answered(visit):
    page = visit("/?picture=2-star")
    expect(page.locator("#overview .why .heat")).to_be_visible()
    page.evaluate(ENDS_LATE)
    for name in ("ring", "star", "ring"):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator("#status")).to_contain_text(name)
        page.wait_for_function("window.ending")


@pytest.fixture
def another_version(tmp_path, monkeypatch):
    """Scripts of Gradio as they may be one day."""
    (tmp_path / "core-1.js").write_text(f"{WALK} and nothing else that is known")
    (tmp_path / "Blocks-1.js").write_text("all is new")
    monkeypatch.setattr(gradio_scripts, "SCRIPTS", tmp_path)
    changed.cache_clear()
    yield
    changed.cache_clear()


def test_a_script_of_another_version_is_served_as_it_is(another_version):
    assert changed() == {}
    assert gradio_scripts.changed_scripts() == []
