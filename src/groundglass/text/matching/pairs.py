"""Findings and impression of one report as a pair that belongs together, and batches of pairs that differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from groundglass.core.errors import ConfigurationError
from groundglass.text.plain import plain
from groundglass.text.sections import sections


class SectionPair(NamedTuple):
    """Two sections of the report with number `report` in the order given; white space is one space each."""

    findings: str
    impression: str
    report: int


def section_pairs(reports: Iterable[str], *, language: str = "en", least: int = 2) -> Iterator[SectionPair]:
    """The pair of every report that has both sections with at least `least` words each; the others give none.

    Text without a heading counts as findings only where a headed impression follows. Several sections of one name are
    read as one.
    """
    for number, report in enumerate(reports):
        whole = plain(report)
        said: dict[str, list[str]] = {"findings": [], "impression": []}
        for part in sections(whole, language):
            if part.name in said:
                said[part.name] += whole[part.start : part.end].split()
        findings, impression = said["findings"], said["impression"]
        if min(len(findings), len(impression)) >= least:
            yield SectionPair(" ".join(findings), " ".join(impression), number)


def distinct_batches(
    pairs: Sequence[SectionPair], size: int, rng: np.random.Generator
) -> Iterator[tuple[SectionPair, ...]]:
    """One round of the pairs in random order, in batches of `size` that hold no findings and no impression twice.

    "No acute cardiopulmonary process." ends a third of all reports: beside its twin it would be trained away from what
    it belongs to. A pair that has a twin in the batch waits for a later one; what cannot fill a batch is left for
    another round. Raises ConfigurationError when `size` is less than 2: there is nothing to tell apart.
    """
    if size < 2:
        raise ConfigurationError(f"batch of {size}", "holds nothing to tell apart", "Use 2 or more.")
    waiting = [pairs[i] for i in rng.permutation(len(pairs))]
    while True:
        chosen: list[SectionPair] = []
        seen: set[str] = set()
        left: list[SectionPair] = []
        for index, pair in enumerate(waiting):
            if len(chosen) == size:
                left += waiting[index:]
                break
            keys = {f"f {pair.findings.casefold()}", f"i {pair.impression.casefold()}"}
            if keys & seen:
                left.append(pair)
            else:
                chosen.append(pair)
                seen |= keys
        if len(chosen) < size:
            return
        yield tuple(chosen)
        waiting = left
