"""Choosing what to look at: single blocks, image sizes, weights that have to be fetched."""

import re
import threading
from dataclasses import replace
from types import MappingProxyType
from urllib.parse import urlsplit

import pytest
from huggingface_hub import constants
from playwright.sync_api import expect
from safetensors.torch import save, save_file

from explorer.ui.examples import PHOTOGRAPHS
from models import card, create, registry
from models.scenes import CLASSES
from models.sources import Hub
from tests.loopback import serving
from tests.on_page import choose, settled


def test_a_single_block_is_chosen_and_changed(follow):
    page = follow("/?tab=reweighting")
    expect(page.locator("#strip .strip button")).to_have_count(6)
    page.get_by_label("Single block").click()
    expect(page.locator("#status")).to_contain_text("WeightedPermuteMLP(dim=64, seg_dim=16)")
    expect(page.locator("#strip .strip button")).to_have_count(1)
    expect(page.locator("#badge")).to_contain_text("Trained")
    width = page.get_by_label("dim", exact=True)
    width.fill("32")
    width.press("Enter")
    expect(page.locator("#status")).to_contain_text("dim=32, seg_dim=16")
    expect(page.locator("#badge")).to_contain_text("random")
    expect(page.locator("#inside")).to_contain_text("in each of 32 channels")
    width.fill("30")
    width.press("Enter")
    refusal = page.locator("#refusal")
    expect(refusal).to_contain_text("dim 30 cannot be cut into 16 segments")
    expect(width).to_have_value("32")
    page.locator("h1").click()  # leaving the field is no second mistake, and the sentence stays
    settled(page)
    expect(refusal).to_contain_text("dim 30 cannot be cut into 16 segments")
    expect(page.get_by_test_id("toast-body")).to_have_count(0)
    expect(page.locator("#status")).to_contain_text("dim=32, seg_dim=16")


def test_what_is_typed_while_numbers_are_judged_stays(follow, explorer, monkeypatch):
    """A refused number goes back, the one typed meanwhile in another field does not."""
    judged, go_on = threading.Event(), threading.Event()
    judge = explorer.engine.models.refuse_costly

    def slowly(model: str) -> None:
        judged.set()
        assert go_on.wait(60)
        judge(model)

    page = follow("/?tab=reweighting&model=WeightedPermuteMLP(dim=64,seg_dim=16)&weights=scenes")
    expect(page.locator("#badge")).to_contain_text("Trained")
    monkeypatch.setattr(explorer.engine.models, "refuse_costly", slowly)
    width, segments = (page.get_by_label(name, exact=True) for name in ("dim", "seg_dim"))
    width.fill("32")
    width.press("Enter")
    assert judged.wait(60)
    segments.fill("4")
    go_on.set()
    expect(page.locator("#status")).to_contain_text("dim=32, seg_dim=16")
    settled(page)
    expect(segments).to_have_value("4")
    segments.press("Enter")
    expect(page.locator("#status")).to_contain_text("dim=32, seg_dim=4")


def test_further_hyper_parameters_are_written_in_a_fold(visit, follow):
    page = follow("/?tab=reweighting&model=WeightedPermuteMLP(dim=64,seg_dim=16)&weights=scenes")
    expect(page.locator("#badge")).to_contain_text("Trained")
    text = page.locator("#further-text textarea, #further-text input")
    expect(text).to_be_hidden()
    page.get_by_text("More hyper-parameters").click()
    expect(page.locator("#further-help")).to_contain_text("a number from 0 to 0.99")
    text.fill("qkv_bias=true,proj_drop=.1")
    text.press("Enter")
    expect(page.locator("#status")).to_contain_text("seg_dim=16, qkv_bias=1, proj_drop=0.1)")
    expect(page.locator("#badge")).to_contain_text("random")
    expect(text).to_have_value("qkv_bias=1, proj_drop=0.1")
    text.fill("qkv_bias=3")
    text.press("Enter")
    refusal = page.locator("#refusal")
    expect(refusal).to_contain_text("qkv_bias of WeightedPermuteMLP is 0 or 1, not 3.")
    expect(text).to_have_value("qkv_bias=1, proj_drop=0.1")
    segments = page.get_by_label("seg_dim", exact=True)
    segments.fill("8")
    segments.press("Enter")
    expect(page.locator("#status")).to_contain_text("dim=64, seg_dim=8, qkv_bias=1, proj_drop=0.1)")
    expect(refusal).to_be_hidden()
    again = visit(page.url.partition(page.url.split("/")[2])[2])
    expect(again.locator("#status")).to_contain_text("seg_dim=8, qkv_bias=1, proj_drop=0.1)")
    expect(again.locator("#further-text textarea, #further-text input")).to_have_value(
        "qkv_bias=1, proj_drop=0.1"
    )
    choose(again, "single", "S2Block")
    expect(again.locator("#status")).to_contain_text("S2Block(dim=128, mlp_ratio=4)")
    expect(again.locator("#further")).to_be_hidden()


def test_a_block_is_the_trained_one_again_with_the_numbers_it_was_trained_for(follow):
    page = follow("/?tab=reweighting&model=WeightedPermuteMLP(dim=64,seg_dim=16)&weights=scenes")
    expect(page.locator("#badge")).to_contain_text("Trained")
    shares = page.locator("#strip .strip button").inner_html()
    segments = page.get_by_label("seg_dim", exact=True)
    for number, said in (("8", "Untrained"), ("100000", "Untrained"), ("16", "Trained")):
        segments.fill(number)
        segments.press("Enter")
        expect(page.locator("#badge")).to_contain_text(said)
        expect(page.locator("#refusal")).to_contain_text("100000" if number == "100000" else "")
    expect(page.locator("#status")).to_contain_text("seg_dim=16")
    settled(page)
    assert page.locator("#strip .strip button").inner_html() == shares
    choose(page, "weights", "random (untrained)")  # and what is chosen on purpose stays
    expect(page.locator("#badge")).to_contain_text("Untrained")
    segments.focus()
    page.locator("h1").click()
    settled(page)
    expect(page.locator("#badge")).to_contain_text("Untrained")


def test_a_link_brings_a_single_block_back(visit):
    page = visit("/?tab=maps&model=MLPBlock(dim=32,n_div=4,mlp_ratio=2)&weights=scenes")
    expect(page.locator("#status")).to_contain_text("MLPBlock(dim=32, n_div=4, mlp_ratio=2)")
    expect(page.get_by_label("n_div")).to_have_value("4")
    expect(page.locator("#grid")).to_contain_text("32")


def test_uploaded_weights_are_the_visitors_own_and_leave_with_them(visit, explorer, tmp_path):
    save_file(create("vip_nano", seed=4).state_dict(), tmp_path / "mine.safetensors")
    names = [f"kind {number}" for number in range(len(CLASSES))]
    (tmp_path / "mine.txt").write_text("\n".join(names), "utf-8")
    page = visit("/?picture=2-star")
    choose(page, "weights", "an upload of yours")
    expect(page.locator("#badge")).to_contain_text("Choose a .safetensors file")
    files = [str(tmp_path / "mine.safetensors"), str(tmp_path / "mine.txt")]
    bring(page, files[1:])
    expect(page.get_by_test_id("toast-body")).to_contain_text("Choose a .safetensors file")
    bring(page, files)
    expect(page.locator("#badge")).to_contain_text("forgotten when you leave")
    expect(page.locator("#overview")).to_contain_text("kind")
    expect(page).to_have_url(re.compile("weights=upload-[0-9a-f]{8}"))
    (name,) = uploads_in(explorer)
    assert name not in page.content()
    other = visit(f"/?{urlsplit(page.url).query}")
    expect(other.get_by_test_id("toast-body")).to_contain_text("weights somebody uploaded")
    expect(other.locator("#badge")).to_contain_text("bundled")
    page.goto(page.url.partition("?")[0])
    for _ in range(600):
        if not uploads_in(explorer):
            return
        other.wait_for_timeout(50)
    raise AssertionError("the weights of a visitor who left are still here")


def bring(page, files: list[str]) -> None:
    with page.expect_file_chooser() as chooser:
        page.locator("#weights-files").click()
    chooser.value.set_files(files)


def uploads_in(explorer) -> list[str]:
    models = [key for key in explorer.engine.cache.keys() if key[0] == "model"]  # noqa: SIM118 - ours
    return [weights for _, _, weights in models if weights.startswith("upload-")]


def test_the_size_control_is_there_where_it_works(visit):
    page = visit("/?model=vip_nano")
    expect(page.locator("#status")).to_contain_text("top class")
    expect(page.locator("#size")).to_be_hidden()
    choose(page, "backbone", "fasternet_nano")
    expect(page.locator("#size")).to_be_visible()
    choose(page, "size", "64 × 96")
    expect(page.locator("#status")).to_contain_text("fasternet_nano@64x96")
    expect(page.locator("#overview")).to_contain_text("64 × 96")
    size = page.locator("#size input")
    size.fill("100")
    size.press("Enter")
    expect(page.get_by_test_id("toast-body")).to_contain_text("multiples of 32 pixels; 100 × 100")


@pytest.fixture
def published(tmp_path, monkeypatch):
    """fasternet_t0 with weights of the real size, which have to be fetched from a server of this machine."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with serving() as (address, shelf):
        content = save(create("fasternet_t0", seed=5).state_dict())
        shelf.files["/someone/model/resolve/main/model.safetensors"] = content
        found = card("fasternet_t0")
        source = Hub("someone/model", endpoint=address, cache=str(tmp_path))
        listed = replace(found.weights["imagenet"], source=source)
        offered = replace(found, weights=MappingProxyType({"imagenet": listed}))
        monkeypatch.setitem(registry._CARDS, "fasternet_t0", offered)
        yield shelf


def test_weights_are_fetched_when_asked_for_from_the_click_to_the_prediction(visit, published, explorer):
    """Until they are here the views show nothing but what they are; then the prediction of these weights."""
    page = visit("/?picture=1-cat&model=vip_nano&weights=scenes")
    expect(page.locator("#overview .facts")).to_contain_text("vip_nano")
    choose(page, "backbone", "fasternet_t0")
    expect(page.locator("#status")).to_contain_text("fasternet_t0")  # the menu has its weights, too
    choose(page, "weights", "trained on ImageNet (published, 16 MB)")
    waiting = page.locator("#waiting")
    expect(waiting).to_contain_text(
        re.compile(r"huggingface\.co/someone/model.*16 MB.*1,000 classes.*71\.9 %", re.DOTALL)
    )
    expect(page.locator("#badge")).to_contain_text("not on this computer yet")
    expect(page.locator("#overview")).to_be_hidden()
    assert published.gets == 0
    page.get_by_role("button", name="Download", exact=True).click()
    expect(page.locator("#status")).to_contain_text("trained on ImageNet (published)")
    expect(waiting).to_be_empty()
    told = explorer.predict("fasternet_t0", PHOTOGRAPHS[0], "imagenet")[0]
    expect(page.locator("#overview .predictions li").first).to_contain_text(told.label)
    expect(page.locator("#badge")).to_contain_text("published checkpoint")
    assert published.gets == 1


def test_a_fetch_that_fails_names_its_host_and_can_be_tried_again(visit, published):
    page = visit("/?picture=1-cat&model=fasternet_t0&weights=imagenet")
    kept = dict(published.files)
    published.files.clear()
    page.get_by_role("button", name="Download", exact=True).click()
    failed = page.locator("#waiting [role=alert]")
    expect(failed).to_contain_text("could not be fetched from huggingface.co/someone/model")
    expect(page.get_by_test_id("toast-body")).to_contain_text("could not be fetched")
    choose(page, "weights", "random (untrained)")  # the page goes on
    expect(page.locator("#overview .facts")).to_contain_text("fasternet_t0")
    choose(page, "weights", "trained on ImageNet (published, 16 MB)")
    page.get_by_role("button", name="Download", exact=True).click()
    expect(failed).to_be_visible()
    published.files.update(kept)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#badge")).to_contain_text("published checkpoint")
