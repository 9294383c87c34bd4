"""Episodes: the courses of one entity group over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from groundglass.text.timeline.grouping import Key, covers, is_device, is_symptom
from groundglass.text.timeline.rows import Row

LONG_GAP_DAYS = 365
"""Longer without a word, and what comes back is another episode (devices and normals excepted)."""

NORMAL = 0
"""The episode of a group's normals, whatever the gap between them."""


def episodes(rows: Sequence[Row], keys: Sequence[Key], *, long_gap: int = LONG_GAP_DAYS) -> tuple[int, ...]:
    """The episode of each row (rows in time order): 0 for the normals of a group, 1, 2, ... for its abnormal courses.

    A new one begins after a resolution or a normal of an earlier study (also one that is said of more: "no effusion"
    ends the left one), or after `long_gap` days. A device has one unless it was removed. Each mention of a symptom is
    its own. Within one study what is present outweighs what is denied.
    """
    numbers = [NORMAL] * len(rows)
    for key in dict.fromkeys(keys):
        seen = [i for i, k in enumerate(keys) if k == key and rows[i].positive]
        shown = {rows[i].study.sequence for i in seen}
        ended = {
            row.study.sequence
            for row, other in zip(rows, keys, strict=True)
            if not row.positive and covers(other, key) and row.study.sequence not in shown
        }
        number, last = 0, None
        for index in seen:
            if last is None or _is_new(rows[last], rows[index], key, ended, long_gap):
                number += 1
            numbers[index], last = number, index
    return tuple(numbers)


def _is_new(last: Row, row: Row, key: Key, ended: set[int], long_gap: int) -> bool:
    if any(last.study.sequence < sequence < row.study.sequence for sequence in ended):
        return True
    if is_device(key.concept):
        return False
    if is_symptom(key.concept) and row.change in (None, "onset"):
        return row.study.sequence != last.study.sequence
    return row.study.day - last.study.day > long_gap


def by_group(rows: Sequence[Row]) -> Mapping[str, list[Row]]:
    """Rows of each group, groups in the order of their first mention."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.group, []).append(row)
    return found
