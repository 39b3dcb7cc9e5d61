"""Chinese for what is written in English, by the phrases the page has, and those of what is not on the page.

A phrase may have gaps, `{}`, for what varies; what fills them is looked up itself.
"""

import html
import json
import locale
import os
import re
from functools import cache
from itertools import chain, zip_longest

from models.registry import ASSETS

FILES = ("zh.json", "zh_apart.json")  # of the page; of reports and the command line
LETTERS = re.compile("[A-Za-z]")
KEPT = r'<(?:style|pre|code)\b.*?</(?:style|pre|code)>|<span translate="no">.*?</span>'
TAGS = re.compile(rf"({KEPT}|<[^>]+>)", re.DOTALL)
ALT = re.compile(r'(?<=alt=")[^"]+')


@cache
def phrases() -> dict[str, str]:
    """English to Chinese."""
    files = [json.loads((ASSETS / name).read_text("utf-8")) for name in FILES]
    return {english: chinese for one in files for english, chinese in one.items()}


@cache
def patterns() -> list[tuple[re.Pattern, str]]:
    """Phrases with gaps; what says most is tried first."""
    gaps = sorted(
        (one for one in phrases() if "{}" in one), key=lambda one: len(one.replace("{}", "")), reverse=True
    )
    return [
        (re.compile("(.+?)".join(map(re.escape, one.split("{}"))), re.DOTALL), phrases()[one]) for one in gaps
    ]


def in_chinese(text: str) -> str:
    """A text as the page would say it in Chinese; what is not known stays as it is."""
    words = " ".join(text.split())
    if not LETTERS.search(words):
        return text
    found = phrases().get(words)
    for pattern, chinese in [] if found else patterns():
        if match := pattern.fullmatch(words):
            inside = [in_chinese(gap) for gap in match.groups()]
            found = "".join(chain(*zip_longest(chinese.split("{}"), inside, fillvalue="")))
            break
    return text.replace(text.strip(), found) if found else text


def page_in_chinese(page: str) -> str:
    """The HTML of a report: its texts, but neither code nor names that are marked so."""
    parts = TAGS.split(page)
    texts = [
        html.escape(in_chinese(html.unescape(one)), quote=False) if not number % 2 else in_alt(one)
        for number, one in enumerate(parts)
    ]
    return "".join(texts).replace('lang="en"', 'lang="zh-CN"', 1)


def in_alt(tag: str) -> str:
    """A tag, the words for whoever cannot see it in Chinese."""
    return ALT.sub(lambda found: html.escape(in_chinese(html.unescape(found[0]))), tag)


def speaks_chinese() -> bool:
    """Whether this computer is set to Chinese."""
    told = next(
        (os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), None
    )
    return (told or locale.getlocale()[0] or "").lower().startswith(("zh", "chinese"))


def localised(text: str) -> str:
    """A text in the language of this computer."""
    return in_chinese(text) if speaks_chinese() else text
