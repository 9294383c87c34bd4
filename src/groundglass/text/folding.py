"""Text to the form in which phrases are looked up: same length, so that every offset holds.

Lower case without accents; everything but letters and digits reads as a space. Where words are written without spaces
(Japanese, Chinese), the marks of a list and of plus and minus are kept, since there they are words.
"""

from __future__ import annotations

import re

UNSPACED = frozenset({"ja", "zh"})
"""Languages that write words without spaces between them."""

_NOT_WORD = re.compile(r"[^0-9a-z]+")
_ACCENTS = str.maketrans("éèêëàâáäåìíîïòóôöùúûüçñışğÀİ", "eeeeaaaaaiiiioooouuuucnisgai")
_MARKS = {"、": "、", "・": "・", "，": "，", ",": "，", "､": "、", "･": "・"} | {sign: sign for sign in "()+-±?"}


class _Fold(dict[int, str]):
    """Folded characters by code, made when they are first met."""

    def __init__(self, kept: dict[str, str]) -> None:
        super().__init__()
        self._kept = kept

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        if letter in self._kept:
            folded = self._kept[letter]
        else:
            letter = letter.lower()
            folded = letter.translate(_ACCENTS) if len(letter) == 1 and letter.isalnum() else " "
        self[code] = folded
        return folded


_SPACED_TABLE = _Fold({})
_UNSPACED_TABLE = _Fold(_MARKS)
_ASCII_TABLE = bytes(ord(_SPACED_TABLE[code]) for code in range(128)) + bytes(128)


def folded(text: str, *, spaced: bool = True) -> str:
    """`text` as phrases are looked up in it; same length."""
    if spaced and text.isascii():
        return text.encode("ascii").translate(_ASCII_TABLE).decode("ascii")  # a quarter of a str.translate
    return text.translate(_SPACED_TABLE if spaced else _UNSPACED_TABLE)


def normalised(phrase: str, *, spaced: bool = True) -> str:
    """A phrase as it stands in the lexicon: folded, runs of spaces as one (without spaces: none)."""
    return (" " if spaced else "").join(folded(phrase, spaced=spaced).split())
