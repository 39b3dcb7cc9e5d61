"""What is not on the page is told in Chinese, too: the help of every command, mistakes, the report."""

import html
import json
import re
from contextlib import suppress

import numpy as np
import pytest
from matplotlib.text import Text

from explorer.command_line import main
from explorer.command_line.arguments import parser
from explorer.figures.shares import across_depth
from explorer.report import figure_words, language
from explorer.report.figure_words import figure_in_chinese
from explorer.report.page import report
from explorer.report.recipe import Question
from models.registry import ASSETS

STAR = str(ASSETS / "examples" / "2-star.png")
COMMANDS = ("inspect", "attribute", "knock-out", "report", "replay", "survey", "gates", "benchmark")
# Of Gradio's own page and of argparse; and what is put together of pieces.
NOT_OURS = (
    "Remove Image|Upload file|Capture from camera|Paste from clipboard|Drop an image file here to upload",
    "File upload|Stop Recording|Drop Image Here|Click to Upload|processing .*|Loading...|Use via API|logo",
    "Gradio footer navigation|number input for .*|range slider for .*|positional arguments|- or -",
    "show this help message and exit|unrecognized arguments.*|the following arguments .*|expected one .*",
    r"by \w+|yes|whole network .*|stem .*|{} branches .*|modulations.*|bn, .*|gelu .*|split_cat .*|.{1,4}",
    ".*, photographs",
)
SENTENCE = re.compile(r"[a-z]+ [a-z]+ [a-z]+")


@pytest.fixture
def chinese(monkeypatch):
    """The language of the computer."""
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")


def test_the_help_of_every_command_is_told_in_chinese(chinese, capsys):
    assert "用法" in parser().format_help()
    for command in COMMANDS:
        with pytest.raises(SystemExit):
            main([command, "--help"])
        helped = re.sub(r"\S*[A-Z]\S*|python -m explorer", "", capsys.readouterr().out)
        assert SENTENCE.findall(helped) == [], command


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["inspect"], "缺少以下参数：PICTURE"),
        (["inspect", STAR, "--what"], "不认识的参数：--what"),
        (["report", STAR], "报告需要 --out FILE.html"),
        (["inspect", "nowhere.png"], "nowhere.png: 无法打开这个图片文件。"),
    ],
)
def test_mistakes_are_told_in_chinese(chinese, capsys, words, said):
    with suppress(SystemExit):  # what argparse refuses
        assert main(words) == 2
    assert said in capsys.readouterr().err


def test_elsewhere_it_is_english(monkeypatch):
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert "usage: " in parser().format_help()


@pytest.mark.parametrize("model", ["vip_nano", "mixer_nano"])
def test_a_report_is_told_in_chinese(explorer, model):
    asked = Question(model=model, weights="scenes", method="saliency")
    page, _ = report(explorer, STAR, asked, chinese=True)
    assert '<html lang="zh-CN">' in page
    told = re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<(style|pre|code).*?</\1>", "", page))
    assert SENTENCE.findall(html.unescape(told)) == []
    english, _ = report(explorer, STAR, asked)
    chinese_pictures, pictures = (re.findall(r'<img src="[^"]*"', one) for one in (page, english))
    assert chinese_pictures == pictures
    assert page.count('class="figure"') == english.count('class="figure"')


def test_the_words_of_a_figure_are_told_in_chinese_where_there_is_a_font_for_them(monkeypatch):
    def drawn():
        return across_depth(["block 0", "stem"], ("height", "width"), np.full((2, 2), 0.5), title="vip_nano")

    def words(figure) -> set[str]:
        figure.draw_without_rendering()  # with a glyph for each character, or it would warn
        return {text.get_text() for text in figure.findobj(Text)}

    if figure_words.font():
        assert {"块 0", "高度", "各通道的平均份额", "vip_nano"} <= words(figure_in_chinese(drawn()))
    monkeypatch.setattr(figure_words, "font", lambda: None)
    assert words(figure_in_chinese(drawn())) == words(drawn())


def test_no_phrase_is_left_that_nobody_says():
    """Three words in a row of each phrase stand in the code, unless it is Gradio's or put together."""
    root = ASSETS.parent
    code = [*(root / "explorer").rglob("*.py"), *(root / "models").glob("*.py"), *ASSETS.glob("*.js")]
    code += [
        *(root / "explorer").rglob("*.html"),
        root / "app.py",
        ASSETS / "truth.json",
        *ASSETS.glob("*/*.json"),
        *ASSETS.glob("*/*.txt"),
    ]
    text = " ".join(path.read_text("utf-8") for path in code)
    text = re.sub(r"\s+", " ", re.sub(r"""["']\s*f?["']""", "", text)).lower()
    left = []
    for name in language.FILES:
        for phrase in json.loads((ASSETS / name).read_text("utf-8")):
            parts = [part.split() for part in phrase.lower().split("{}")]
            said = [" ".join(part[at : at + 3]) for part in parts for at in range(max(1, len(part) - 2))]
            known = re.fullmatch("|".join(NOT_OURS), phrase) or phrase.lower() in text
            if not known and not any(one in text for one in said if len(one) > 1):
                left.append(phrase)
    assert left == []
