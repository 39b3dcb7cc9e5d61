"""The page speaks Chinese completely: no English is left where a Chinese visitor looks."""

import json
import re

import pytest
from playwright.sync_api import expect

from explorer import pictures
from explorer.attribution import baselines
from explorer.attribution.registry import METHODS
from explorer.ui import rail
from explorer.ui.tabs import TABS
from explorer.ui.tabs.compare.tab import LENSES as LENSES_OF_COMPARE
from explorer.ui.tabs.reweighting.lab import LENSES
from models.registry import ASSETS
from models.scenes import CLASSES

ZH = json.loads((ASSETS / "zh.json").read_text("utf-8"))
# What stays as it is: names, units, formats, and what belongs to Gradio and cannot be reached.
KEPT = "|".join(
    [
        *(
            "Mixscope",
            "English",
            r"\w+_nano",
            r"vip_\w+",
            r"\w+\(.*\)",
            *(
                "VarGrad",
                "DeepLift",
                "DeepLiftShap",
                "Layer-CAM",
                "Score-CAM",
                "Shapley",
                "KernelShap",
                "LIME",
            ),
            *("LRP", "SLIC", "ReLU", "Vision Permutator", "S2-MLPv2", "LayerNorm", "GELU"),
            *("SiLU", "GroupNorm", "DropPath"),
            *("AS-MLP", "MLP-Mixer", "MLP", "S2-MLP", "MobileViT", "FasterNet"),
            *("WeightedPermuteMLP", "dim", "seg_dim", "fasternet_t0@[0-9x]+"),
            r"[A-Z][a-z0-9]+(?:[A-Z]\w+)+",  # names of classes, as the source has them
            *("Attention", "Mlp", "Carried", "Patches"),
            *("Grad-CAM", "CKA", "Kornblith", "PyTorch"),
            "GradientShap",
            "SmoothGrad",
            "Saliency",
        ),
        *("Occlusion", "IG", "logit", "Python", "PNG", "SVG", "npz", "png", "svg", "CPU", "API"),
        *(r"[0-9.]+e[-+][0-9]+", r"[0-9./]+s", r"common\.complete"),
    ]
)
LEFT = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = walker.currentNode; node; node = walker.nextNode()) {
    const element = node.nodeType == 3 ? node.parentElement : node;
    if (!element || element.closest('[translate=no], pre, script, style')) continue;
    if (node.nodeType == 3) { if (element.offsetParent) found.push(node.data.trim()); }
    else for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
      if (element.offsetParent && element.hasAttribute(name)) found.push(element.getAttribute(name));
  }
  document.querySelectorAll('input[role=combobox]').forEach(input => found.push(input.value));
  return found;
}"""


def nothing_english(page) -> None:
    """Menus and late views are put into Chinese a moment after they appear."""
    for _ in range(20):
        if not english(page.evaluate(LEFT)):
            return
        page.wait_for_timeout(250)
    assert english(page.evaluate(LEFT)) == []


def english(texts: list[str]) -> list[str]:
    return sorted({text for text in texts if re.search("[A-Za-z]", re.sub(rf"\b({KEPT})\b", "", text))})


BLOCK = "&model=WeightedPermuteMLP(dim=64,seg_dim=8)&weights=random"


@pytest.mark.parametrize("tab", ["overview", "code"])
def test_a_single_block_is_told_in_chinese(visit, tab):
    page = visit(f"/?tab={tab}{BLOCK}", locale="zh-CN")
    expect(page.locator("#status")).to_contain_text("WeightedPermuteMLP")
    page.wait_for_timeout(1000)
    nothing_english(page)


@pytest.mark.parametrize(
    ("beside", "button"), [("score", "#score-run"), ("side", "#side-run"), ("truth", "")]
)
def test_what_stands_beside_a_map_is_told_in_chinese(visit, beside, button):
    page = visit(f"/?tab=attribution&beside={beside}&method=saliency", locale="zh-CN")
    expect(page.locator("#status")).to_contain_text("最可能的类别")
    if button:
        page.locator(button).click()
        expect(page.locator(f"#{beside} .view")).to_be_visible(timeout=20_000)
    page.wait_for_timeout(2_000)
    nothing_english(page)


SPLIT = [("vip_nano", lens) for lens in LENSES]
OTHERS = [("as_mlp_nano", "channels"), ("as_mlp_nano", "what_if"), ("mixer_nano", "where")]


@pytest.mark.parametrize(("model", "lens"), SPLIT + OTHERS)
def test_every_lens_is_told_in_chinese(visit, lens, model):
    page = visit(f"/?tab=reweighting&lens={lens}&model={model}", locale="zh-CN")
    expect(page.locator("#status")).to_contain_text("最可能的类别")
    page.wait_for_timeout(1500)
    nothing_english(page)


@pytest.mark.parametrize("direction", ["moves", "feels"])
def test_receptive_fields_are_told_in_chinese(visit, direction):
    page = visit(f"/?tab=mixing&model=as_mlp_nano&direction={direction}", locale="zh-CN")
    expect(page.locator("#field header")).to_be_visible()
    expect(page.locator("#growth [data-done=True]")).to_be_visible()
    nothing_english(page)


TOLD = [(tab, "") for tab in (row.name for row in TABS) if tab != "compare"] + [
    ("overview", "&weights=random")
]


@pytest.mark.parametrize(("tab", "query"), TOLD)
def test_nothing_english_is_left(visit, tab, query):
    page = visit(f"/?tab={tab}{query}", locale="zh-CN")
    expect(page.locator("#status")).to_contain_text("最可能的类别")
    expect(page.locator("#overview .advance" if tab == "overview" else ".nothing")).to_have_count(0)
    page.wait_for_timeout(700)
    nothing_english(page)


@pytest.mark.parametrize("lens", LENSES_OF_COMPARE)
def test_the_comparison_is_told_in_chinese(visit, lens):
    page = visit(f"/?tab=compare&versus={lens}", locale="zh-CN")
    expect(page.locator(f"#versus-{lens} .view")).to_be_visible()
    expect(page.locator(f"#versus-{lens} .advance")).to_have_count(0)
    pieces = page.locator(f"#versus-{lens} [data-says], #versus-{lens} [data-place]")
    pieces.nth(1).hover()
    page.wait_for_timeout(700)
    nothing_english(page)


@pytest.mark.parametrize("method", list(METHODS)[::5])
def test_methods_are_told_in_chinese(visit, method):
    page = visit(f"/?tab=attribution&method={method}&lang=zh")
    expect(page.locator("#attribution header, #attribution .nothing")).to_be_visible()
    page.wait_for_timeout(500)
    nothing_english(page)


def test_the_language_switches_back_and_is_remembered(visit):
    page = visit(locale="zh-CN")
    expect(page.get_by_role("tab", name="总览")).to_be_visible()
    page.locator("#language").click()
    expect(page.get_by_role("tab", name="Overview")).to_be_visible()
    page.reload()
    expect(page.get_by_role("tab", name="Overview")).to_be_visible()


def test_mistakes_are_told_in_chinese(visit, tmp_path):
    page = visit("/?lang=zh")
    expect(page.locator("#status")).to_contain_text("竖条纹")
    (tmp_path / "empty.png").write_bytes(b"")
    page.locator("[aria-label='移除图片']").click()
    page.locator("#picture input[type=file]").set_input_files(str(tmp_path / "empty.png"))
    expect(page.get_by_test_id("toast-body")).to_contain_text("这个文件是空的")


def test_a_phrase_keeps_its_gaps():
    for phrase, chinese in ZH.items():
        assert phrase.count("{}") == chinese.count("{}"), phrase


def test_the_words_of_the_core_are_known():
    words = [*CLASSES, *baselines.BASELINES.values(), *(method.title for method in METHODS.values())]
    words += [*rail.NAMES.values(), *(text for _, text in rail.BADGES.values())]
    assert [word for word in words if word not in ZH] == []
    assert [phrase for phrase in ZH if pictures.OFFER in phrase], "the decoder's sentences"
