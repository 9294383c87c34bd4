"""Length of the longest common subsequence, one whole row of the table per machine operation on a long integer.

M. Crochemore, C. S. Iliopoulos, Y. J. Pinzon, J. F. Reid, Information Processing Letters 2001; 80: 279.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def lcs_length(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """Length of the longest common subsequence of two sequences of words."""
    places: dict[Hashable, int] = {}
    bit = 1
    for word in second:
        places[word] = places.get(word, 0) | bit
        bit <<= 1
    full = bit - 1
    row = full
    for place in map(places.get, first):
        if place:
            matched = row & place
            row = (row + matched | row - matched) & full
    return len(second) - row.bit_count()
