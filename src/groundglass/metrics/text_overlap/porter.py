"""Porter's stemmer (M. F. Porter, Program 1980; 14: 130) with the departures of NLTK, which rouge-score uses.

The departures: a few irregular words; "ies" of a four-letter word becomes "ie", and so does "ied"; y becomes i only
after a consonant that is not the first letter; "alli" is tried before "bli"; "bli", "fulli" and "logi" are suffixes of
step 2; words of one or two letters stay.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

_IRREGULAR = {
    form: stem
    for stem, forms in {
        "sky": "sky skies",
        "die": "dying",
        "lie": "lying",
        "tie": "tying",
        "news": "news",
        "inning": "innings inning",
        "outing": "outings outing",
        "canning": "cannings canning",
        "howe": "howe",
        "proceed": "proceed",
        "exceed": "exceed",
        "succeed": "succeed",
    }.items()
    for form in forms.split()
}

_STEP_2 = (
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("bli", "ble"),
    ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"),
    ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"),
    ("iviti", "ive"), ("biliti", "ble"), ("fulli", "ful"),
)  # fmt: skip
_STEP_3 = (
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""),
)  # fmt: skip
_STEP_4 = (
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti",
    "ous", "ive", "ize",
)  # fmt: skip


@lru_cache(maxsize=1 << 17)
def porter_stem(word: str) -> str:
    """The stem of one word, in lower case."""
    stem = word.lower()
    if stem in _IRREGULAR:
        return _IRREGULAR[stem]
    if len(word) <= 2:
        return stem
    stem = _past_and_progressive(_plural(stem))
    if stem.endswith("y") and len(stem) > 2 and _is_consonant(stem, len(stem) - 2):
        stem = stem[:-1] + "i"
    stem = _step_2(stem)
    for suffix, instead in _STEP_3:
        if stem.endswith(suffix):
            stem = _replaced(stem, suffix, instead)
            break
    return _final_l(_final_e(_step_4(stem)))


def _consonants(word: str) -> list[bool]:
    """Which letters are consonants: all but a, e, i, o, u, and but a y that follows a consonant."""
    flags: list[bool] = []
    for letter in word:
        flags.append(letter not in "aeiou" and not (letter == "y" and bool(flags) and flags[-1]))
    return flags


def _is_consonant(word: str, index: int) -> bool:
    return _consonants(word[: index + 1])[-1]


def _measure(stem: str) -> int:
    """How often a vowel is followed by a consonant: m of [C](VC)^m[V]."""
    flags = _consonants(stem)
    return sum(after and not before for before, after in pairwise(flags))


def _has_vowel(stem: str) -> bool:
    return not all(_consonants(stem))


def _ends_in_short_syllable(word: str) -> bool:
    """Consonant, vowel, consonant other than w, x, y; or, of two letters, vowel and consonant."""
    if len(word) >= 3:
        return _consonants(word)[-3:] == [True, False, True] and word[-1] not in "wxy"
    return len(word) == 2 and _consonants(word) == [False, True]


def _replaced(word: str, suffix: str, instead: str) -> str:
    """The word with another suffix, if what stands before it has a measure above 0."""
    stem = word[: -len(suffix)]
    return stem + instead if _measure(stem) > 0 else word


def _plural(word: str) -> str:
    if word.endswith("ies") and len(word) == 4:
        return word[:-1]
    if word.endswith(("sses", "ies")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _past_and_progressive(word: str) -> str:
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    for suffix in ("ed", "ing"):
        if word.endswith(suffix) and _has_vowel(word[: -len(suffix)]):
            return _completed(word[: -len(suffix)])
    return word


def _completed(stem: str) -> str:
    """What is left after "ed" or "ing": its e comes back, a doubled consonant goes."""
    if stem.endswith(("at", "bl", "iz")):
        return stem + "e"
    if len(stem) >= 2 and stem[-1] == stem[-2] and _is_consonant(stem, len(stem) - 1):
        return stem if stem[-1] in "lsz" else stem[:-1]
    return stem + "e" if _measure(stem) == 1 and _ends_in_short_syllable(stem) else stem


def _step_2(word: str) -> str:
    if word.endswith("alli") and _measure(word[:-4]) > 0:
        return _step_2(word[:-2])
    for suffix, instead in _STEP_2:
        if word.endswith(suffix):
            return _replaced(word, suffix, instead)
    return word[:-1] if word.endswith("logi") and _measure(word[:-3]) > 0 else word


def _step_4(word: str) -> str:
    for suffix in _STEP_4:
        if word.endswith(suffix):
            stem = word[: -len(suffix)]
            goes = _measure(stem) > 1 and (suffix != "ion" or stem[-1] in "st")
            return stem if goes else word
    return word


def _final_e(word: str) -> str:
    if not word.endswith("e"):
        return word
    stem = word[:-1]
    measure = _measure(stem)
    return stem if measure > 1 or (measure == 1 and not _ends_in_short_syllable(stem)) else word


def _final_l(word: str) -> str:
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word
