"""Which language a report is written in, by its script and its commonest small words."""

from __future__ import annotations

import re

AUTO = "auto"
_KANA = re.compile(r"[\u3041-\u309f\u30a1-\u30fa]")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_WORD = re.compile(r"[^\W\d_]+")
_SMALL_WORDS = {
    language: frozenset(words.split())
    for language, words in (
        (
            "it",
            "di del della dei delle al alla ai alle il lo la i gli le un una non si con per in da e ed né nel nella",
        ),
        ("en", "of the and no is are in with there for to at on was were or not has seen without"),
    )
}
_ENOUGH = 4000
"""Characters that are looked at: the language of a report does not change."""


def language_of(text: str) -> str:
    """ "ja" where there is kana, "zh" where there are only Chinese characters, else "it" or "en" by small words."""
    head = text[:_ENOUGH]
    letters = sum(map(str.isalpha, head))
    han = len(_HAN.findall(head))
    if han + len(_KANA.findall(head)) > 0.2 * letters:
        return "ja" if _KANA.search(head) else "zh"
    words = [word.lower() for word in _WORD.findall(head)]
    counts = {language: sum(word in small for word in words) for language, small in _SMALL_WORDS.items()}
    return "it" if counts["it"] > counts["en"] else "en"


def resolved(language: str, text: str) -> str:
    """The language itself, or that of the text for "auto"."""
    return language_of(text) if language == AUTO else language
