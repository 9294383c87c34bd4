"""Words as sacrebleu's tokenisers make them: 13a (mteval-v13a), intl (mteval-v14), zh, char and none.

M. Post, A Call for Clarity in Reporting BLEU Scores, WMT 2018 (arXiv 1804.08771). Unicode classes of `intl` are those
of Python's own database.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from itertools import chain
from typing import Literal

Tokeniser = Literal["13a", "intl", "zh", "char", "none"]

_MARKS = re.compile(r"([ -&(-+/:-@\[-`{-~])")
_STOP_AFTER_OTHER = re.compile(r"([^0-9])([.,])")
_STOP_BEFORE_OTHER = re.compile(r"([.,])([^0-9])")
_DASH_AFTER_DIGIT = re.compile(r"([0-9])(-)")


def mteval_words(text: str, tokeniser: Tokeniser) -> list[str]:
    """The words of one text; white space at its end is dropped first, as sacrebleu does."""
    return _TOKENISERS[tokeniser](text.rstrip())


def _western(line: str) -> list[str]:
    """The language-dependent part of mteval-v13a on a line that begins and ends with a blank (or not)."""
    line = _MARKS.sub(r" \1 ", line)
    line = _STOP_AFTER_OTHER.sub(r"\1 \2 ", line)
    line = _STOP_BEFORE_OTHER.sub(r" \1 \2", line)
    return _DASH_AFTER_DIGIT.sub(r"\1 \2 ", line).split()


@lru_cache(maxsize=1 << 17)
def _western_chunk(chunk: str) -> tuple[str, ...]:
    return tuple(_western(f" {chunk} "))


def _words_13a(text: str) -> list[str]:
    text = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    if "&" in text:
        text = text.replace("&quot;", '"').replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    # No rule looks across white space, so each piece between blanks is done once for all texts.
    return list(chain.from_iterable(map(_western_chunk, text.split())))


def _words_intl(text: str) -> list[str]:
    after, before, symbols = _international()
    text = after.sub(r"\1 \2 ", text)
    text = before.sub(r" \1 \2", text)
    return symbols.sub(r" \1 ", text).split()


@cache
def _international() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    digits, marks, symbols = (_class_of(first) for first in "NPS")
    return (
        re.compile(f"([^{digits}])([{marks}])"),
        re.compile(f"([{marks}])([^{digits}])"),
        re.compile(f"([{symbols}])"),
    )


def _class_of(category: str) -> str:
    """Members of a regular expression's class: all characters whose general category begins so."""
    spans: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] == category:
            if spans and spans[-1][1] == code - 1:
                spans[-1][1] = code
            else:
                spans.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in spans)


# The two first spans are sacrebleu's own: it means U+20000 to U+2A6D6 and U+2F800 to U+2FA1D, but compares strings, so
# dashes, curly quotes and arrows are cut off like Chinese characters, too.
_CHINESE = re.compile(
    "([\u2001-\u2a6d\u2f81-\u2fa1\u3400-\u4db5\u4e00-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9\uff00-\uffef"
    "\u2e80-\u303f\u31c0-\u31ef\u3100-\u312f\u31a0-\u31bf\ufe10-\ufe1f\ufe30-\ufe4f\u3200-\u33ff])"
)


def _words_zh(text: str) -> list[str]:
    return _western(_CHINESE.sub(r" \1 ", text.strip()))


def _characters(text: str) -> list[str]:
    return " ".join(text).split()


_TOKENISERS: dict[str, Callable[[str], list[str]]] = {
    "13a": _words_13a,
    "intl": _words_intl,
    "zh": _words_zh,
    "char": _characters,
    "none": str.split,
}
