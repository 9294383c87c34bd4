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

from groundglass.metrics.text_overlap.ptb_rules import CONTRACTED, JOINED, NEEDS_JOINING, RULES, STARTERS

PUNCTUATION = frozenset(
    ["''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";"]
)
"""What the COCO scripts remove after tokenisation, as they list it (the capital ones never occur by then)."""

_SINGLE = {
    "(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-",
    "\u201c": "``", "\u201d": "''", "\u00ab": "``", "\u00bb": "''",
    "\u2018": "`", "\u2019": "'", "\u2039": "`", "\u203a": "'",
    "\u20ac": "$", "\u00a3": "#", "\u00a2": "cents", "\u00bd": "1/2", "\u00bc": "1/4", "\u00be": "3/4",
    "\u2153": "1/3", "\u2154": "2/3",
}  # fmt: skip
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " "}
_DROPPED = re.compile("[\u200b-\u2011\ufeff\U00010000-\U0010ffff\u0000-\u0008\u000e-\u001f\ufffd]")
_BLANKS = re.compile("[\t\r\n\x0b\x0c\u00a0\u2000-\u200a\u3000\u2028\u2029\u0085]")


def ptb_tokens(text: str) -> list[str]:
    """All words of a text in lower case, punctuation included."""
    text = _BLANKS.sub(" ", text)
    if NEEDS_JOINING.search(text):
        text = JOINED.sub(lambda found: found.group().replace(" ", "\u00a0"), text)
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
    if word in STARTERS:
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
    for name, pattern in RULES:
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
    if best == "word" or best == "assimilated":
        length = _before_contraction(chunk, position, length)
    return best, length


def _numbered(chunk: str, end: int, at_end: bool, follows: str) -> bool:
    return follows == "number" if at_end else chunk[end].isdigit() or chunk[end] in ",;:"


def _before_contraction(chunk: str, position: int, length: int) -> int:
    """Length of a word before "n't", else the whole: "don" of "don't" gives its n away."""
    found = CONTRACTED.match(chunk, position)
    return found.end() - position if found and found.end() - position == length - 1 else length


def _word(word: str, chunk: str, position: int, follows: str) -> list[str]:
    clean = word.replace("\u00ad", "").translate(_QUOTE).lower()
    return [_bracketed(clean)] if clean else []


_QUOTE = str.maketrans({"\u2019": "'", "\u0092": "'"})


def _bracketed(word: str) -> str:
    return word.replace("(", "-lrb-").replace(")", "-rrb-") if "(" in word or ")" in word else word


def _smiley(word: str, chunk: str, position: int, follows: str) -> list[str]:
    return [_bracketed(word.lower())]


def _quotes(word: str, chunk: str, position: int, follows: str) -> list[str]:
    return ["".join(_SINGLE[mark] for mark in word)]


def _assimilated(word: str, chunk: str, position: int, follows: str) -> list[str]:
    low = word.lower()
    cut = 2 if low[0] == "'" else 3
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


_FINISH: dict[str, Callable[[str, str, int, str], list[str]]] = {
    "entity": _entity,
    "assimilated": _assimilated,
    "word": _word,
    "closing": _closing,
    "numbered": _word,
    "acronym": _acronym,
    "smiley": _smiley,
    "bare": lambda word, chunk, position, follows: [word.lower()],
    "quotes": _quotes,
    "ellipsis": lambda word, chunk, position, follows: ["..."],
    "dashes": lambda word, chunk, position, follows: ["--"],
    "single": _single,
}
