"""The page speaks Chinese completely: no English is left where a Chinese visitor looks."""

import json
import re

from playwright.sync_api import expect

from explorer.attribution import baselines
from explorer.attribution.registry import METHODS
from explorer.decoding import files as picture_files
from explorer.ui import model_picker, weights_badge, weights_menu
from explorer.ui.examples import EXAMPLES
from explorer.ui.tabs.compare.tab import LENSES as LENSES_OF_COMPARE
from explorer.ui.tabs.mixing.place import DIRECTIONS
from explorer.ui.tabs.reweighting.lab import LENSES
from models.registry import ASSETS, Preprocess
from models.scenes import CLASSES
from tests.foreign import SIDE, SqueezeExcite, made
from tests.in_chinese import nothing_english
from tests.on_page import choose, choose_number, switch

ZH = json.loads((ASSETS / "zh.json").read_text("utf-8"))
BLOCK = "&model=WeightedPermuteMLP(dim=64,seg_dim=8)&weights=random"


def test_a_single_block_is_told_in_chinese(follow):
    page = follow(f"/?tab=overview{BLOCK}", locale="zh-CN")
    expect(page.locator("#status")).to_contain_text("WeightedPermuteMLP")
    nothing_english(page)
    page.get_by_role("tab", name=ZH["Code walk"]).click()
    expect(page.locator("#walk .view")).to_be_visible()
    nothing_english(page)


def test_what_a_lens_says_of_other_models_is_told_in_chinese(follow):
    """Of models that have something to show, each lens is looked at in test_access.py."""
    page = follow("/?tab=reweighting", locale="zh-CN")
    expect(page.locator("#status")).to_contain_text("最可能的类别")
    others = [("as_mlp_nano", "channels"), ("as_mlp_nano", "what_if"), ("mixer_nano", "where")]
    for model, lens in others:
        choose(page, "backbone", model)
        switch(page, "lenses", list(LENSES).index(lens))
        expect(page.locator("#status")).to_contain_text(model)
        nothing_english(page)


def test_gates_are_told_in_chinese(follow, explorer):
    explorer.add(made(SqueezeExcite), "squeezed_nano", Preprocess(size=SIDE))
    page = follow("/?tab=reweighting&model=squeezed_nano", locale="zh-CN")
    page.get_by_role("button", name=re.compile(f"与 {len(EXAMPLES)} 张示例图片")).click()
    expect(page.locator("#gate")).to_contain_text(f"{len(EXAMPLES)} 张示例图片")
    choose(page, "gates-change", ZH["one closed"])
    expect(page.locator("#gates-table [data-done]")).to_be_visible()
    nothing_english(page)
    choose(page, "backbone", "mobilevit_nano")
    expect(page.locator("#others-map")).to_contain_text(ZH["attention"])
    nothing_english(page)


def test_receptive_fields_are_told_in_chinese(follow):
    page = follow("/?tab=mixing&model=as_mlp_nano", locale="zh-CN")
    for number in range(len(DIRECTIONS)):
        switch(page, "direction", number)
        expect(page.locator("#field header")).to_be_visible()
        expect(page.locator("#growth [data-done=True]")).to_be_visible()
        nothing_english(page)


def test_untrained_weights_and_mistakes_are_told_in_chinese(follow, tmp_path):
    page = follow("/?weights=random", locale="zh-CN")
    expect(page.locator("#status")).to_contain_text("最可能的类别")
    expect(page.locator("#overview .advance")).to_have_count(0)
    nothing_english(page)
    (tmp_path / "empty.png").write_bytes(b"")
    page.locator("[aria-label='移除图片']").click()
    page.locator("#picture input[type=file]").set_input_files(str(tmp_path / "empty.png"))
    expect(page.get_by_test_id("toast-body")).to_contain_text("这个文件是空的")
    page.get_by_test_id("toast-close").click()  # it would stand on the next test's screen


def test_the_comparison_is_told_in_chinese(follow):
    page = follow("/?tab=compare", locale="zh-CN")
    for number, lens in enumerate(LENSES_OF_COMPARE):
        switch(page, "versus", number)
        expect(page.locator(f"#versus-{lens} .view")).to_be_visible()
        expect(page.locator(f"#versus-{lens} .advance")).to_have_count(0)
        pieces = page.locator(f"#versus-{lens} [data-says], #versus-{lens} [data-place]")
        pieces.nth(1).hover()
        nothing_english(page)


def test_methods_are_told_in_chinese(follow):
    page = follow("/?tab=attribution", locale="zh-CN")
    for number in range(0, len(METHODS), 5):
        choose_number(page, "method", number)
        expect(page.locator("#attribution header, #attribution .nothing")).to_be_visible()
        nothing_english(page)


def test_the_language_switches_back_and_is_remembered(visit):
    page = visit(locale="zh-CN")
    expect(page.get_by_role("tab", name="总览")).to_be_visible()
    page.locator("#language").click()
    expect(page.get_by_role("tab", name="Overview")).to_be_visible()
    page.reload()
    expect(page.get_by_role("tab", name="Overview")).to_be_visible()


def test_a_phrase_keeps_its_gaps():
    for phrase, chinese in ZH.items():
        assert phrase.count("{}") == chinese.count("{}"), phrase


def test_the_words_of_the_core_are_known():
    words = [*CLASSES, *baselines.BASELINES.values(), *(method.title for method in METHODS.values())]
    words += [*weights_menu.NAMES.values(), weights_menu.BUNDLED]
    words += [text for _, text in weights_badge.BADGES.values()]
    words += [model_picker.SEARCH, model_picker.OF_TIMM]
    assert [word for word in words if word not in ZH] == []
    assert [phrase for phrase in ZH if picture_files.OFFER in phrase], "the decoder's sentences"
