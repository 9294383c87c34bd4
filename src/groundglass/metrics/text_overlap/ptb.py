"""Penn Treebank words as the COCO caption scripts make them: Stanford PTBTokenizer 3.4.1 with `-lowerCase`.

Written from the tokeniser's observed behaviour (no code of it), and checked against its answers. What it does with
running text, numbers, units, abbreviations, hyphens, slashes, quotes, contractions, addresses and tags is followed;
other scripts' exotica may differ. Two habits of the official run are kept because scores depend on them: brackets
become `-lrb-` and so on and, being lower case by then, survive the removal of punctuation; and a joined telephone
number or mixed fraction holds a no-break space, so it is one word for ROUGE-L and two for BLEU and CIDEr.

One habit is not kept: the official run puts all texts in one file, so whether the last full stop of a text that ends
with an abbreviation ("etc.") is a word of its own depends on the first letter of the NEXT text. Here each text stands
alone, as if it were the last of the file. (The stop is then dropped as punctuation; "etc." stays either way.)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

PUNCTUATION = frozenset(
    ["''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";"]
)
"""What the COCO scripts remove after tokenisation, as they list it (the capital ones never occur by then)."""

_LETTER = r"[^\W\d_\u00ad\u00b2\u00b3\u00b9\u00bc-\u00be\u2150-\u215f\u2460-\u24ff]|[\u00ad\u0300-\u036f\u0900-\u0903\u093a-\u094f\u0e31-\u0e4e]"
_ALNUM = rf"(?:{_LETTER}|\d)"
_HYPHEN = "[-_\u058a\u2010\u2011]"
_APOS = "['\u2019\u0092]"
_SHORTENED = rf"(?:{_APOS}(?:[msdMSD]|[rR][eE]|[vV][eE]|[lL][lL])|[nN]{_APOS}[tT])"

_TITLES = (
    "adj adm adv assoc asst ave capt cf cmdr col dept det dr drs ft gen gov hon lt maj messrs mr mrs ms mt natl ph "
    "pres prof pvt rep rev sen sgt st ste supt vs"
)
_CLOSERS = (
    "al ala apr ariz assn aug bldg blvd bros calif co colo conn corp ct dec est etc ext feb fla fri ga inc ind intl "
    "jan jr jul jun kan ky ltd mar md mich minn mo mon mont neb nev nov oct okla penn rd rt sep sept sq sr tel tenn "
    "thu thurs tue tues univ va vt wed wis wyo"
)
_CAPITAL_CLOSERS = "Ark Del Ill La Mass Miss Ore Pa Tex Wash"
_BEFORE_NUMBERS = "art ca fig figs no nos op pp prop"
_STARTERS = frozenset(
    "A About According Additionally After An As At But Earlier He Her Here However If In It Last Many More Now Once "
    "One Other Our She Since So Some Such That The Their Then There These They This We What When While Yet You".split()
)
_CAPITAL_STARTERS = frozenset(word.upper() for word in _STARTERS) | _STARTERS

_TAG = r"</?[A-Za-z][A-Za-z0-9]*(?:[ \u00a0]+[A-Za-z][A-Za-z0-9:.-]*(?:=(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\u00a0\"'<>]+))?)*[ \u00a0]*/?>"


def _choice(words: str) -> str:
    return "|".join(sorted(words.split(), key=len, reverse=True))


_END = rf"(?!{_ALNUM}|\.{_ALNUM})"
_INITIALS = r"[A-Za-z](?:\.[A-Za-z])*"
_ACRONYM_END = rf"(?={_SHORTENED}?(?:[^A-Za-z0-9]|\d|$))"

_RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("tag", rf"{_TAG}|<[A-Za-z0-9._-]+@[A-Za-z0-9._-]+>"),
        ("entity", r"&(?:amp|AMP|lt|LT|gt|GT|quot|QUOT|apos|APOS|nbsp|NBSP);"),
        ("split", r"(?i:cannot|gonna|gotta|lemme|gimme|wanna|'tis|'twas)(?![A-Za-z0-9])"),
        ("shortened", rf"{_APOS}(?:[msdMSD]|[rR][eE]|[vV][eE]|[lL][lL])(?![A-Za-z])|[nN]{_APOS}[tT](?![A-Za-z])"),
        ("bare", "\u2019[nN]"),
        ("shortened", "\u2019[msdMSD]"),
        ("plain", rf"{_APOS}[nN]{_APOS}?(?![A-Za-z])|{_APOS}(?:em|til|cause)(?![A-Za-z])|[oO]l{_APOS}|[mM]a{_APOS}am"),
        ("plain", rf"[cC]{_APOS}mon|[jJyY]{_APOS}(?=[A-Za-z])|{_APOS}\d0s"),
        ("plain", rf"(?:[dDoOlL]{_APOS})?{_ALNUM}+(?:{_HYPHEN}{_ALNUM}+)*"),
        ("plain", rf"(?:{_LETTER}){_ALNUM}*(?:[.!?](?:{_LETTER}){_ALNUM}*)+"),
        ("plain", r"[A-Za-z0-9][A-Za-z0-9.,]*(?:-[A-Za-z0-9]+)+"),
        ("plain", r"[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}(?:\\?/[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}){1,2}"),
        ("plain", r"[A-Z]+(?:(?:\+|&amp;|&)[A-Z]+)+|C\+\+"),
        ("plain", r"[-+]?(?:\d*(?:[.:,]\d+)+|\d+)"),
        ("plain", r"(?:\d{1,4}[- \u00a0])?\d{1,4}\\?/\d{1,4}"),
        (
            "plain",
            r"(?:\(\d{2,3}\)\u00a0?|(?:\+\+?)?(?:\d{2,4}[-\u00a0])?\d{2,4}[-\u00a0])\d{3,4}[-\u00a0]?\d{3,5}"
            r"|(?:(?:\+\+?)?\d{2,4}\.)?\d{2,4}\.\d{3,4}\.\d{3,5}",
        ),
        ("plain", r"https?://[^\s\u00a0\"<>|()]*[^\s\u00a0\"<>|.!?(){},-]"),
        (
            "plain",
            r"(?:www\.)?(?:[A-Za-z0-9_-]+\.)+(?:com|net|org|edu)(?:/[^\s\u00a0\"<>|()]*[^\s\u00a0\"<>|.!?(){},-])?",
        ),
        (
            "plain",
            r"[A-Za-z0-9][^\s\u00a0\"<>|()]*@(?:[^\s\u00a0\"<>|().]+\.)*[^\s\u00a0\"<>|().]+|@[A-Za-z_][A-Za-z_0-9]*",
        ),
        ("plain", rf"#(?:{_LETTER})+"),
        ("stop", rf"(?i:{_choice(_TITLES)})\.{_END}"),
        ("closing", rf"(?i:{_choice(_CLOSERS)}|ph\.d)\.{_END}|(?:{_choice(_CAPITAL_CLOSERS)})\.{_END}"),
        ("closing", rf"(?:{_choice(_CAPITAL_CLOSERS.upper())})\.{_END}"),
        ("numbered", rf"(?i:{_choice(_BEFORE_NUMBERS)})\.(?!{_LETTER})"),
        ("acronym", rf"{_INITIALS}\.(?![A-Za-z])"),
        ("inside", rf"(?:{_ALNUM}+(?:{_HYPHEN}{_ALNUM}+)*|[A-Z]+(?:[+&][A-Z]+)+)\.(?=[,;:])"),
        ("smiley", r"[<>]?[:;=][-o*']?[()DPdpO\\{@|\[\]](?![A-Za-z0-9])"),
        ("plain", r"[A-Z]+\$|\\\*|<<|>>|\^_\^"),
        ("quotes", r"[\u2018\u2019\u201c\u201d]{2,}"),
        ("ellipsis", r"\.{3,5}|(?:\.\u00a0){2,4}\.|\u2026"),
        ("dashes", r"-{2,}|[\u2013-\u2015\u0096\u0097]"),
        ("plain", r"[?!]+|_+|\*+|``|''"),
    )
)

_SINGLE = {
    "(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-",
    "\u201c": "``", "\u201d": "''", "\u00ab": "``", "\u00bb": "''",
    "\u2018": "`", "\u2019": "'", "\u2039": "`", "\u203a": "'",
    "\u20ac": "$", "\u00a3": "#", "\u00a2": "cents", "\u00bd": "1/2", "\u00bc": "1/4", "\u00be": "3/4",
    "\u2153": "1/3", "\u2154": "2/3",
}  # fmt: skip
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " "}
_DROPPED = re.compile("[\u200b-\u200f\ufeff\U00010000-\U0010ffff\u0000-\u0008\u000e-\u001f\ufffd]")
_BLANKS = re.compile("[\t\r\n\x0b\x0c\u00a0\u2000-\u200a\u3000\u2028\u2029\u0085]")
_JOINED = re.compile(
    r"(?:\. ){2,4}\."
    r"|\b\d{1,4} \d{1,4}/\d{1,4}"
    r"|(?:\(\d{2,3}\) |(?:\d{2,4}[- ])?\d{2,4}[- ])\d{3,4}[- ]?\d{3,5}"
    rf"|{_TAG}"
)
_NEEDS_JOINING = re.compile(r"\. \.|\d [\d(]|\) \d|<[A-Za-z!?/]")


def ptb_tokens(text: str) -> list[str]:
    """All words of a text in lower case, punctuation included."""
    text = _BLANKS.sub(" ", text)
    if _NEEDS_JOINING.search(text):
        text = _JOINED.sub(lambda found: found.group().replace(" ", "\u00a0"), text)
    chunks = text.split(" ")
    last = len(chunks) - 1
    tokens: list[str] = []
    for index, chunk in enumerate(chunks):
        if not chunk:
            continue
        follows = _follows(chunks, index, last) if chunk[-1] == "." else ""
        tokens += _chunk_tokens(chunk, follows)
    return tokens


def coco_text(text: str) -> str:
    """Words of a text without punctuation, joined by blanks: the form that the COCO scorers take."""
    return " ".join([token for token in ptb_tokens(text) if token not in PUNCTUATION])


def _follows(chunks: list[str], index: int, last: int) -> str:
    """What stands after a chunk, as far as a full stop's fate depends on it."""
    after = index + 1
    while after <= last and not chunks[after]:
        after += 1
    if after > last:
        return "end"
    word = chunks[after]
    if word in _CAPITAL_STARTERS:
        return "starter"
    if word[0].isdigit() and after == index + 1:
        return "number"
    return "capital" if word[0].isupper() else ""


@lru_cache(maxsize=1 << 18)
def _chunk_tokens(chunk: str, follows: str) -> tuple[str, ...]:
    tokens: list[str] = []
    position, size = 0, len(chunk)
    while position < size:
        if chunk[position] == "\u00a0":
            position += 1
            continue
        name, length = _longest(chunk, position, follows)
        word = chunk[position : position + length]
        tokens += _FINISH[name](word, chunk, position, follows)
        position += length
    return tuple(tokens)


def _longest(chunk: str, position: int, follows: str) -> tuple[str, int]:
    """The rule that takes most characters at a position (the first of equals), else one character."""
    best, length = "single", 1
    for name, pattern in _RULES:
        found = pattern.match(chunk, position)
        if found is None:
            continue
        taken = found.end() - position
        at_end = found.end() == len(chunk)
        if name == "numbered" and not _numbered(chunk, found.end(), at_end, follows):
            continue
        if name == "acronym" and taken == 2 and at_end and follows == "starter":
            continue
        if taken > length or (taken == length and best == "single"):
            best, length = name, taken
    if best == "plain" or best == "split":
        length = _before_contraction(chunk, position, length)
    return best, length


def _numbered(chunk: str, end: int, at_end: bool, follows: str) -> bool:
    return follows == "number" if at_end else chunk[end].isdigit() or chunk[end] in ",;:"


_CONTRACTED = re.compile(rf"[A-Za-z]+?(?=[nN]{_APOS}[tT](?![A-Za-z]))")


def _before_contraction(chunk: str, position: int, length: int) -> int:
    """Length of a word before "n't", else the whole: "don" of "don't" gives its n away."""
    found = _CONTRACTED.match(chunk, position)
    return found.end() - position if found and found.end() - position == length - 1 else length


def _plain(word: str, chunk: str, position: int, follows: str) -> list[str]:
    clean = word.replace("\u00ad", "").translate(_QUOTE).lower()
    return [_bracketed(clean)] if clean else []


_QUOTE = str.maketrans({"\u2019": "'", "\u0092": "'"})


def _bracketed(word: str) -> str:
    return word.replace("(", "-lrb-").replace(")", "-rrb-") if "(" in word or ")" in word else word


def _smiley(word: str, chunk: str, position: int, follows: str) -> list[str]:
    return [_bracketed(word.lower())]


def _quotes(word: str, chunk: str, position: int, follows: str) -> list[str]:
    return ["".join(_SINGLE[mark] for mark in word)]


def _split(word: str, chunk: str, position: int, follows: str) -> list[str]:
    low = word.lower()
    cut = {"cannot": 3, "'tis": 2, "'twas": 2}.get(low, 3)
    return [low[:cut], low[cut:]]


def _closing(word: str, chunk: str, position: int, follows: str) -> list[str]:
    ends = position + len(word) == len(chunk) and follows in ("end", "capital", "starter")
    return [word.lower(), "."] if ends else [word.lower()]


def _acronym(word: str, chunk: str, position: int, follows: str) -> list[str]:
    ends = len(word) > 2 and position + len(word) == len(chunk) and follows == "starter"
    return [word.lower(), "."] if ends else [word.lower()]


_OPENS_DOUBLE = re.compile(r"[A-Za-z0-9$]")
_OPENS_SINGLE = re.compile(r"[A-Za-z].")


def _single(word: str, chunk: str, position: int, follows: str) -> list[str]:
    if word == '"':
        return ["``"] if _OPENS_DOUBLE.match(chunk, position + 1) else ["''"]
    if word == "'":
        opens = _OPENS_SINGLE.match(chunk, position + 1) and not chunk[position - 1 : position].isalnum()
        return ["`"] if opens else ["'"]
    if _DROPPED.match(word):
        return []
    return [_SINGLE.get(word, word.lower())]


def _entity(word: str, chunk: str, position: int, follows: str) -> list[str]:
    mark = _ENTITIES[word[1:-1].lower()]
    return [] if mark == " " else _single(mark, chunk, position + len(word) - 1, follows)


def _tag(word: str, chunk: str, position: int, follows: str) -> list[str]:
    return [word.lower()]


_FINISH: dict[str, Callable[[str, str, int, str], list[str]]] = {
    "tag": _tag,
    "entity": _entity,
    "split": _split,
    "shortened": _plain,
    "plain": _plain,
    "stop": _plain,
    "closing": _closing,
    "numbered": _plain,
    "acronym": _acronym,
    "inside": _plain,
    "smiley": _smiley,
    "bare": lambda word, chunk, position, follows: [word.lower()],
    "quotes": _quotes,
    "ellipsis": lambda word, chunk, position, follows: ["..."],
    "dashes": lambda word, chunk, position, follows: ["--"],
    "single": _single,
}
