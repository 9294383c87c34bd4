"""A sentence as a list of tokens: known phrases with their roles, longest first, and what stands between them."""

from __future__ import annotations

import re

from groundglass.text.folding import folded
from groundglass.text.lexicon import Lexicon

_SPACES = re.compile(r"\s{2,}")

Token = tuple[int, int, int, str]
"""A known phrase at sentence[start:end], the number of its meaning, the text between it and the token before."""


def tokens(sentence: str, words: Lexicon) -> list[Token]:
    """The known phrases of a sentence, leftmost and longest first, none overlapping another.

    Phrases may run over line breaks and repeated spaces, not over punctuation that stands alone.
    """
    if not words.spaced:
        return _without_spaces(sentence, words)
    plain = folded(sentence) + " "
    if _may_hold_wide_spaces(sentence) and _SPACES.search(sentence):
        return _with_wide_gaps(sentence, plain, words)
    found: list[Token] = []
    lengths = words.lengths
    before = 0
    for last, number in words.automaton.iter_long(plain):
        start = last - lengths[number]
        if start == before + 1 and before:
            found.append((start, last, number, sentence[before]))
        elif start and plain[start - 1] != " ":
            if plain.find(" ", start) < last:
                return _with_gaps(sentence, _matches(plain, words))
            continue
        else:
            found.append((start, last, number, sentence[before:start]))
        before = last
    return found


def _may_hold_wide_spaces(sentence: str) -> bool:
    """What a run of white space holds in practice: cheaper to look for than the run."""
    return "  " in sentence or "\n" in sentence or "\t" in sentence or not sentence.isascii()


def _with_gaps(sentence: str, matches: list[tuple[int, int, int]]) -> list[Token]:
    found: list[Token] = []
    before = 0
    for start, end, number in matches:
        found.append((start, end, number, sentence[before:start]))
        before = end
    return found


def _without_spaces(sentence: str, words: Lexicon) -> list[Token]:
    """Japanese and Chinese: leftmost longest phrases, wherever they begin; spaces inside a phrase part it."""
    plain = folded(sentence, spaced=False)
    matches: list[tuple[int, int, int]] = []
    for last, number in words.automaton.iter_long(plain):
        start = last - words.lengths[number] + 1
        if matches and matches[-1][1] == start:
            matches[-1:] = _reparted(plain, *matches[-1], last + 1, words)
        if not matches or matches[-1][1] <= start:
            matches.append((start, last + 1, number))
    return _with_gaps(sentence, matches)


def _reparted(plain: str, start: int, end: int, number: int, reach: int, words: Lexicon) -> list[tuple[int, int, int]]:
    """What a word for normal may be in truth, when another phrase follows at once.

    "Not seen enlarged" and "lymph node", or "not seen" and "enlarged lymph node": the longer noun is meant.
    """
    if not any(kind == "normal" for kind, _ in words.meanings[number][1]):
        return [(start, end, number)]
    for cut in range(end - 1, start, -1):
        denial = words.automaton.get(plain[start:cut], None)
        if denial is not None and words.meanings[denial][1][0][0] == "negation before":
            last, noun = next(words.automaton.iter_long(plain, cut), (-1, -1))
            if last + 1 >= reach and last + 1 - words.lengths[noun] == cut:
                return [(start, cut, denial), (cut, last + 1, noun)]
    return [(start, end, number)]


def _matches(plain: str, words: Lexicon) -> list[tuple[int, int, int]]:
    found: list[tuple[int, int, int]] = []
    resume = 0
    lengths = words.lengths
    while True:
        again = -1
        for last, number in words.automaton.iter_long(plain, resume):
            start = last - lengths[number]
            if start and plain[start - 1] != " ":
                # The match begins inside a word. A phrase may have swallowed a proper one: look again after this word.
                space = plain.find(" ", start)
                if space < last:
                    again = space
                    break
                continue
            found.append((start, last, number))
        if again < 0:
            return found
        resume = again


def _with_wide_gaps(sentence: str, plain: str, words: Lexicon) -> list[Token]:
    """The same for text with runs of white space: they are folded to one space, and offsets led back."""
    kept: list[int] = []
    last = 0
    pieces: list[str] = []
    for gap in _SPACES.finditer(sentence):
        pieces.append(plain[last : gap.start() + 1])
        kept.extend(range(last, gap.start() + 1))
        last = gap.end()
    pieces.append(plain[last:])
    kept.extend(range(last, len(plain)))
    found: list[Token] = []
    before = 0
    for start, end, number in _matches("".join(pieces), words):
        first, stop = kept[start], kept[end - 1] + 1
        found.append((first, stop, number, sentence[before:first]))
        before = stop
    return found
