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
def _heading(language: str) -> re.Pattern[str]:
    known = sorted(lexicon(language).sections, key=len, reverse=True)
    names = "|".join(re.escape(name).replace(r"\ ", r"[ \t]{1,3}") for name in known)
    if not lexicon(language).spaced:
        left, right = f"[{re.escape(_OPENERS)}]", f"[{re.escape(_CLOSERS)}]"
        return re.compile(
            rf"(?:^|[\n\r。．；])[ \t　#*]{{0,8}}(?:\d{{1,2}}[.)．、][ \t]?)?{left}?[ \t]?"
            rf"({names})[ \t]{{0,4}}(?:{right}[ \t]?[:：]?|[:：]|(?=[ \t]*[\r\n]))",
            re.IGNORECASE,
        )
    # A heading begins a line or follows the end of a sentence; a colon (or dash) or the end of the line closes it.
    return re.compile(
        r"(?:^|[\n\r.;!?>]|\s\s)[ \t*#_>-]{0,8}(?:\d{1,2}[.)][ \t]?)?"
        rf"({names})[ \t*_]{{0,4}}(?::|-{{1,2}}[ \t]|(?=[ \t]*[\r\n]))",
        re.IGNORECASE,
    )


def sections(text: str, language: str = "en") -> list[Span]:
    """The sections of a report in order; text before the first heading is findings (it may be empty of sentences)."""
    names = lexicon(language).sections
    found: list[Span] = []
    start, name, heading = 0, "findings", ""
    for match in _heading(language).finditer(text):
        stop = match.start(1)
        if stop > start and text[stop - 1] in _OPENERS:
            stop -= 1
        if stop > start or heading:
            found.append(Span(name, heading, start, stop))
        heading = match[1]
        name, start = names[" ".join(heading.lower().split())], match.end()
    found.append(Span(name, heading, start, len(text)))
    return [span for span in found if span.heading or text[span.start : span.end].strip()]
