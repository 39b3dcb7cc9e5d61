"""The attribution lab in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from explorer.attribution.benchmark.shipped import asked_of, shipped
from explorer.attribution.registry import METHODS
from tests.on_page import choose, settled, tab
from tests.stopping import assert_stops


def test_what_means_nothing_here_says_why_and_draws_nothing(follow):
    page = follow("/?tab=attribution&method=saliency&picture=2-star")
    expect(page.locator("#attribution .heat")).to_be_visible()
    for method in ("deep_lift", "guided_backprop", "lrp", "attention_rollout"):
        choose(page, "method", METHODS[method].title)
        expect(page.locator("#attribution .nothing")).to_contain_text(
            re.compile("ReLU|LayerNorm|attention", re.IGNORECASE)
        )
        expect(page.locator("#attribution .nothing")).to_contain_text(METHODS[method].title)
        expect(page.locator("#attribution img")).to_have_count(0)
        page.locator("#run").click()
        page.locator("#run").click()  # what is said twice is shown once
        settled(page)
        expect(page.get_by_test_id("toast-body")).to_contain_text(METHODS[method].title)
        page.get_by_test_id("toast-close").click()


def test_the_menu_of_methods_says_what_means_nothing_here(follow):
    page = follow("/?tab=attribution&method=saliency&picture=2-star")
    settled(page)
    page.locator("#method input").click()
    expect(page.get_by_role("option", name="Guided Backprop")).to_contain_text("No ReLU in this model")
    expect(page.get_by_role("option", name="Saliency")).not_to_contain_text("·")


def test_methods_draw_their_maps_on_every_family(follow):
    page = follow("/?tab=attribution&method=layer_cam&picture=2-star")
    for method, model in [
        ("layer_cam", "vip_nano"),
        ("score_cam", "s2mlpv2_nano"),
        ("var_grad", "mixer_nano"),
        ("attention_rollout", "mobilevit_nano"),
        ("feature_ablation", "as_mlp_nano"),
        ("kernel_shap", "fasternet_nano"),
        ("edges", "s2mlp_nano"),
    ]:
        if model not in page.url:
            choose(page, "backbone", model)
            expect(page.locator("#status")).to_contain_text(model)
            settled(page)
            choose(page, "method", METHODS[method].title)
        settled(page)
        page.locator("#run").click()  # on a busy machine it may count as too slow to run unasked
        expect(page.locator("#attribution h2")).to_have_text(METHODS[method].title)
        expect(page.locator("#attribution .advance")).to_have_attribute("data-done", "")
        expect(page.locator("#attribution .heat")).to_be_visible()


def test_a_class_rather_than_another(follow):
    page = follow("/?tab=attribution&method=integrated_gradients&picture=2-star")
    expect(page.locator("#attribution .note, #attribution .nothing")).to_contain_text(
        re.compile("star|Press")
    )
    page.locator("#run").click()  # on a busy machine it may count as too slow to run unasked
    expect(page.locator("#attribution .note")).to_contain_text("for star")
    expect(page.locator("#attribution .advance")).to_have_attribute("data-done", "")
    first = page.locator("#attribution .heat").get_attribute("src")
    choose(page, "against", "cross")
    page.locator("#run").click()
    expect(page.locator("#attribution .note")).to_contain_text("rather than cross")
    expect(page.locator("#attribution .advance")).to_have_attribute("data-done", "")
    assert page.locator("#attribution .heat").get_attribute("src") != first


def test_a_map_with_a_large_gap_offers_the_steps_it_needs(follow):
    page = follow("/?tab=attribution&method=integrated_gradients&picture=2-star&steps=3")
    expect(page.locator("#attribution .doubt")).to_contain_text("misses the logit's change")
    assert "steps=3" in page.url  # an old link means what it meant
    page.get_by_role("button", name="Take as many steps as are needed").click()
    expect(page.locator("#attribution .doubt")).to_have_count(0)
    expect(page.locator("#attribution .advance")).to_have_attribute("data-done", "")
    expect(page.locator("#steps input")).to_have_value("until the gap is below 1 %")
    expect(page.locator("#attribution")).to_contain_text("Sum")
    expect(page.locator("#attribution")).not_to_contain_text("Completeness gap")
    expect(page).not_to_have_url(re.compile("steps="))


def test_all_methods_are_tried_on_demand(follow):
    page = follow("/?tab=attribution&method=saliency")
    expect(page.locator("#attribution .advance")).to_have_attribute("data-done", "")
    page.get_by_role("button", name="Try all methods").click()
    expect(page.locator("#verdicts tr")).to_have_count(len(METHODS))
    expect(page.locator("#verdicts tr", has_text="Guided Backprop")).to_contain_text("not meaningful")
    expect(page.locator("#verdicts tr", has_text="Saliency")).to_contain_text("fits")


def test_the_score_card_fills_beside_its_controls(follow):
    page = follow("/?tab=attribution&beside=score&picture=2-star")
    expect(page.locator("#score .nothing")).to_be_visible()
    page.locator("#score-run").click()
    expect(page.locator("#score .verdict")).to_contain_text("beats random by")
    expect(page.locator("#score .advance")).to_have_attribute("data-done", "")
    expect(page.locator("#score .verdict")).to_contain_text("weights are randomised")
    expect(page.locator("#score .verdict")).to_contain_text("the cause")
    expect(page.locator("#score polyline")).to_have_count(6)


def test_methods_side_by_side_agree_and_disagree(follow):
    page = follow("/?tab=attribution&beside=side&picture=2-star")
    page.locator("#side-run").click()
    expect(page.locator("#side figure")).to_have_count(8)
    expect(page.locator("#side .nothing")).to_have_count(0)


def test_the_truth_lab_shows_its_table_and_computes_a_row_again(follow):
    page = follow("/?tab=attribution&beside=truth&method=saliency")
    rows = page.locator("#truth tbody tr")
    expect(rows).to_have_count(len(METHODS))
    before = rows.first.inner_text()
    page.get_by_label("Mass on the cause").click()
    expect(rows.first).not_to_have_text(before)
    page.locator("#truth-run").click()
    expect(page.locator("#truth .verdict")).to_contain_text("after 100 scenes")
    expect(page.locator("#protocols h2")).to_have_text("DiFull")
    choose(page, "protocol", "Single deletion")
    expect(page.locator("#protocols h2")).to_have_text("Single deletion")
    expect(page.locator("#protocols h3").last).to_have_text("Which method should I believe for this model?")
    methods = page.locator("#protocols .sortable tbody th")
    head = page.locator("#protocols .sortable thead button", has_text="AS-MLP")
    head.click()
    known = (
        one for one in shipped() if (one.protocol, one.model) == ("deletion", "as_mlp_nano") and one.found
    )
    *_, best = ordered = sorted(known, key=lambda one: one.found.value)
    expect(methods.first).to_have_text(METHODS[best.method].title)
    head.click()
    expect(methods.first).to_have_text(METHODS[ordered[0].method].title)
    page.locator("#protocols .sortable td button").first.click()
    expect(page.locator("#behind .note").first).to_contain_text(f"after {asked_of('deletion')} pictures")
    expect(page.locator("#behind figure")).to_have_count(4)


def test_a_slow_method_is_stopped(follow):
    page = follow("/?tab=attribution&method=shapley_sampling&orders=40&segments=144&picture=2-star")
    expect(page.locator("#attribution .nothing")).to_contain_text("Press Run")
    settled(page)
    page.locator("#run").click()
    assert_stops(page, "#stop", "#attribution .count")
    left = page.locator("#attribution .left")
    assert left.evaluate("left => getComputedStyle(left, '::after').content") == '"stopped"'


DRAWN = """images => images.map(image => {
  const box = image.getBoundingClientRect();
  const kept = ['contain', 'scale-down'].includes(getComputedStyle(image).objectFit);
  return kept ? image.naturalWidth / image.naturalHeight : box.width / box.height;
})"""


def test_a_wide_picture_is_drawn_wide_wherever_a_map_lies_over_it(follow):
    page = follow("/?tab=reweighting&lens=where&method=saliency&model=as_mlp_nano@64x128&picture=2-star")
    expect(page.locator("#where .large img").first).to_be_visible()
    where = page.locator("#where img").evaluate_all(DRAWN)
    tab(page, "Attribution")
    settled(page)
    expect(page.locator("#attribution .advance")).to_have_attribute("data-done", "")
    over = page.locator("#attribution .overlay img, #attribution .large img").evaluate_all(DRAWN)
    assert len(over) == 3
    assert [*where, *over] == [pytest.approx(2, rel=0.02)] * (len(where) + 3)
