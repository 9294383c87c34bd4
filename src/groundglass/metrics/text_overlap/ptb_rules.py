"""What the Penn Treebank tokeniser recognises: the longest match wins, the first rule among equals."""

from __future__ import annotations

import re

_LETTER = (
    r"[^\W\d_\u00ad\u00b2\u00b3\u00b9\u00bc-\u00be\u2150-\u215f\u2460-\u24ff]"  # no superscripts, no vulgar fractions
    r"|[\u00ad\u0300-\u036f\u0900-\u0903\u093a-\u094f\u0e31-\u0e4e]"
)
_ALNUM = rf"(?:{_LETTER}|\d)"
_HYPHEN = "[-_\u058a\u2010\u2011]"
APOSTROPHE = "['\u2019\u0092]"
_SHORTENED = rf"{APOSTROPHE}(?:[msdMSD]|[rR][eE]|[vV][eE]|[lL][lL])(?![A-Za-z])|[nN]{APOSTROPHE}[tT](?![A-Za-z])"

# Abbreviations whose full stop belongs to the word: always; but a sentence may end with it, too; only before a number.
_TITLES = (
    "adj adm adv assoc asst ave capt cf cmdr col dept det dr drs ft gen gov hon lt maj messrs mr mrs ms mt natl ph "
    "pres prof pvt rep rev sen sgt st ste supt vs"
)
_CLOSERS = (
    "al ala apr ariz assn aug bldg blvd bros calif co colo conn corp ct dec est etc ext feb fla fri ga inc ind intl "
    "jan jr jul jun kan ky ltd mar md mich minn mo mon mont neb nev nov oct okla penn rd rt sep sept sq sr tel tenn "
    "thu thurs tue tues univ va vt wed wis wyo ph\\.d"
)
_CAPITAL_CLOSERS = "Ark Del Ill La Mass Miss Ore Pa Tex Wash"
_BEFORE_NUMBERS = "art ca fig figs no nos op pp prop"

_STARTERS = (
    "A About According Additionally After An As At But Earlier He Her Here However If In It Last Many More Now Once "
    "One Other Our She Since So Some Such That The Their Then There These They This We What When While Yet You"
)
STARTERS = frozenset(_STARTERS.split()) | frozenset(_STARTERS.upper().split())
"""Words that start a sentence after an initial or an acronym (other capitals may be a name)."""


def _choice(words: str) -> str:
    return "|".join(sorted(words.split(), key=len, reverse=True))


_END = rf"(?!{_ALNUM}|\.{_ALNUM})"
_WEB = r"[^\s\u00a0\"<>|()]"
_WEB_END = r"[^\s\u00a0\"<>|.!?(){},-]"
_MAIL = r"[^\s\u00a0\"<>|().]"
_VALUE = r"\"[^\"<>]*\"|'[^'<>]*'|[^\s\u00a0\"'<>]+"
TAG = rf"</?[A-Za-z][A-Za-z0-9]*(?:[ \u00a0]+[A-Za-z][A-Za-z0-9:.-]*(?:=(?:{_VALUE}))?)*[ \u00a0]*/?>"

_PATTERNS = (
    ("word", rf"{TAG}|<[A-Za-z0-9._-]+@[A-Za-z0-9._-]+>"),
    ("entity", r"&(?:amp|AMP|lt|LT|gt|GT|quot|QUOT|apos|APOS|nbsp|NBSP);"),
    ("assimilated", r"(?i:cannot|gonna|gotta|lemme|gimme|wanna|'tis|'twas)(?![A-Za-z0-9])"),
    ("bare", "\u2019(?:[nN]|(?:em|til|cause)(?![A-Za-z]))"),
    ("word", rf"{_SHORTENED}|\u2019[msdMSD]"),
    (
        "word",
        rf"{APOSTROPHE}[nN]{APOSTROPHE}?(?![A-Za-z])|{APOSTROPHE}(?:em|til|cause)(?![A-Za-z])"
        rf"|[oO]l{APOSTROPHE}|[mM]a{APOSTROPHE}am|[cC]{APOSTROPHE}mon|[jJyY]{APOSTROPHE}(?=[A-Za-z])|{APOSTROPHE}\d0s",
    ),
    ("word", rf"(?:[dDoOlL]{APOSTROPHE})?{_ALNUM}+(?:{_HYPHEN}{_ALNUM}+)*"),
    ("word", rf"(?:{_LETTER}){_ALNUM}*(?:[.!?](?:{_LETTER}){_ALNUM}*)+"),
    ("word", r"[A-Za-z0-9][A-Za-z0-9.,]*(?:-[A-Za-z0-9]+)+"),
    ("word", r"[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}(?:\\?/[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}){1,2}"),
    ("word", r"[A-Z]+(?:(?:\+|&amp;|&)[A-Z]+)+|C\+\+"),
    ("word", r"[-+]?(?:\d*(?:[.:,]\d+)+|\d+)"),
    ("word", r"(?:\d{1,4}[- \u00a0])?\d{1,4}\\?/\d{1,4}"),
    (
        "word",
        r"(?:\(\d{2,3}\)\u00a0?|(?:\+\+?)?(?:\d{2,4}[-\u00a0])?\d{2,4}[-\u00a0])\d{3,4}[-\u00a0]?\d{3,5}"
        r"|(?:(?:\+\+?)?\d{2,4}\.)?\d{2,4}\.\d{3,4}\.\d{3,5}",
    ),
    ("word", rf"https?://{_WEB}*{_WEB_END}"),
    ("word", rf"(?:www\.)?(?:[A-Za-z0-9_-]+\.)+(?:com|net|org|edu)(?:/{_WEB}*{_WEB_END})?"),
    ("word", rf"[A-Za-z0-9]{_WEB}*@(?:{_MAIL}+\.)*{_MAIL}+|@[A-Za-z_][A-Za-z_0-9]*"),
    ("word", rf"#(?:{_LETTER})+"),
    ("word", rf"(?i:{_choice(_TITLES)})\.{_END}"),
    (
        "closing",
        rf"(?i:{_choice(_CLOSERS)})\.{_END}|(?:{_choice(_CAPITAL_CLOSERS)}|{_choice(_CAPITAL_CLOSERS.upper())})\.{_END}",
    ),
    ("numbered", rf"(?i:{_choice(_BEFORE_NUMBERS)})\.(?!{_LETTER})"),
    ("acronym", r"[A-Za-z](?:\.[A-Za-z])*\.(?![A-Za-z])"),
    ("word", rf"(?:{_ALNUM}+(?:{_HYPHEN}{_ALNUM}+)*|[A-Z]+(?:[+&][A-Z]+)+)\.(?=[,;:])"),
    ("smiley", r"[<>]?[:;=][-o*']?[()DPdpO\\{@|\[\]](?![A-Za-z0-9])"),
    ("word", r"[A-Z]+\$|\\\*|<<|>>|\^_\^|[?!]+|_+|\*+|#{2,}|``|''"),
    ("quotes", "[\u2018\u2019\u201c\u201d]{2}"),
    ("ellipsis", "\\.{3,5}|(?:\\.\u00a0){2,4}\\.|\u2026"),
    ("dashes", "-{2,}|[\u2013-\u2015\u0096\u0097]"),
)
RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple((name, re.compile(pattern)) for name, pattern in _PATTERNS)

CONTRACTED = re.compile(rf"[A-Za-z]+?(?=[nN]{APOSTROPHE}[tT](?![A-Za-z]))")
"""The word before "n't"."""

JOINED = re.compile(
    r"(?:\. ){2,4}\."
    r"|\b\d{1,4} \d{1,4}/\d{1,4}"
    r"|(?:\(\d{2,3}\) |(?:\d{2,4}[- ])?\d{2,4}[- ])\d{3,4}[- ]?\d{3,5}"
    rf"|{TAG}"
)
"""Words that hold blanks: spaced ellipsis, mixed fraction, telephone number, tag."""
NEEDS_JOINING = re.compile(r"\. \.|\d [\d(]|\) \d|<[A-Za-z!?/]")
