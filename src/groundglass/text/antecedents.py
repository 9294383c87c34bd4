"""What "this" says: a sentence without a noun of its own adds to the finding of the sentence before.

"There is a nodule in the right upper lobe. This has increased to 12 mm." The second sentence is read with the noun of
the first in the pronoun's place, so that changes, sizes and exams are found by the rules for every sentence. Only
where it is plain what is meant: "this" and "it" need one finding before them, "these" and "they" speak of all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from groundglass.core import Evidence, Finding
from groundglass.text.statement import Draft

Reader = Callable[[str], tuple[Draft, ...]]

_PRONOUN = {
    "en": re.compile(
        r"\s*(?:(?P<one>this|it|the latter|(?:this|the) finding)|these|they|(?:these|the) findings)"
        r"(?= (?:is|are|was|were|has|have|had|measures?|appears?|remains?|shows?|demonstrates?|now) )",
        re.IGNORECASE,
    )
}


def pronoun_of(sentence: str, language: str) -> re.Match[str] | None:
    """The pronoun that a sentence begins with, where a verb follows it; its group `one` is set for "this" and "it"."""
    pattern = _PRONOUN.get(language)
    return pattern.match(sentence) if pattern else None


def completed(pronoun: re.Match[str], before: Sequence[Finding], evidence: Evidence, read: Reader) -> list[Finding]:
    """Those of `before` that the pronoun's sentence adds to, with its changes, sizes and `evidence`, the sentence.

    `read` gives the statements of a sentence. Empty where the pronoun could mean more than one finding. What a finding
    already has stays.
    """
    meant = [finding for finding in before if finding.status != "absent"]
    if pronoun["one"] and len(meant) != 1:
        return []
    rest = pronoun.string[pronoun.end() :]
    # "They measure 5 and 8 mm": which is which, the sentence does not say.
    sized = len(meant) == 1
    return [more for finding in meant if (more := _grown(finding, rest, evidence, read, sized)) is not None]


def _grown(finding: Finding, rest: str, evidence: Evidence, read: Reader, sized: bool) -> Finding | None:
    said = [draft for draft in read(finding.what.name + rest) if draft.status == finding.status]
    if len(said) != 1:
        return None
    kinds = {attribute.kind for attribute in finding.attributes}
    sizes = {measured.kind for measured in finding.measurements}
    attributes = tuple(a for a in said[0].attributes if a.kind not in kinds)
    measured = tuple(m for m in said[0].measurements if sized and m.kind not in sizes)
    if not attributes and not measured:
        return None
    return replace(
        finding,
        attributes=finding.attributes + attributes,
        measurements=finding.measurements + measured,
        evidence=(*finding.evidence, evidence),
    )
