"""A report's sections: known headings with a colon or on a line of their own; without any, all of it is findings."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from groundglass.text.lexicon import lexicon


class Span(NamedTuple):
    """A section's body text[start:end], its normal name and its heading as written ("" when there was none)."""

    name: str
    heading: str
    start: int
    end: int


_OPENERS = "【[［<＜〈■◆●○"
_CLOSERS = "】]］>＞〉"
"""What headings are set in where letters have no case."""


@cache
def _heading(language: str, *, spread: bool) -> re.Pattern[str]:
    """Headings in lower case; `spread`: also after two spaces, which makes the search slower.

    Each pattern begins with a set of characters and never steps back over what stands before a name: it is tried at
    few places, and fails at once.
    """
    known = sorted(lexicon(language).sections, key=len, reverse=True)
    names = "|".join(re.escape(name).replace(r"\ ", r"[ \t]{1,3}") for name in known)
    if not lexicon(language).spaced:
        left, right = f"[{re.escape(_OPENERS)}]", f"[{re.escape(_CLOSERS)}]"
        return re.compile(
            rf"[\n\r。．；][ \t　#*]{{0,8}}(?:\d{{1,2}}[.)．、][ \t]?)?{left}?[ \t]?"
            rf"({names})[ \t]{{0,4}}(?:{right}[ \t]?[:：]?|[:：]|(?=[ \t]*[\r\n]))"
        )
    # A heading begins a line or follows the end of a sentence; a colon (or dash) or the end of the line closes it.
    before = r"[\n\r\f\v.;!?>\s](?:(?<=[\n\r\f\v.;!?>])|\s)" if spread else r"[\n\r\f\v.;!?>]"
    return re.compile(
        rf"{before}[ \t*#_>-]{{0,8}}+(?:\d{{1,2}}[.)][ \t]?+)?+(?=[a-z])"
        rf"({names})[ \t*_]{{0,4}}(?::|-{{1,2}}[ \t]|(?=[ \t]*[\r\n]))"
    )


def sections(text: str, language: str = "en") -> list[Span]:
    """The sections of a report in order; text before the first heading is findings (it may be empty of sentences)."""
    names = lexicon(language).sections
    spread = "  " in text or "\t" in text or not text.isascii()
    found: list[Span] = []
    start, name, heading = 0, "findings", ""
    # The line break before the text makes its beginning like that of any line.
    for match in _heading(language, spread=spread).finditer("\n" + _lower(text)):
        first, last = match.start(1) - 1, match.end(1) - 1
        stop = first - 1 if first > start and text[first - 1] in _OPENERS else first
        if stop > start or heading:
            found.append(Span(name, heading, start, stop))
        heading = text[first:last]
        name, start = names[" ".join(heading.lower().split())], match.end() - 1
    found.append(Span(name, heading, start, len(text)))
    return [span for span in found if span.heading or text[span.start : span.end].strip()]


def _lower(text: str) -> str:
    """Lower case of the same length: a few letters have none ("İ")."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
