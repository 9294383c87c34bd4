"""The built-in judge: deterministic, offline, and explicable; it decides on findings that a reader finds in the text.

Its verdicts are as good as its reader: a statement that the reader does not find counts as said only when the premises
hold it word for word, and is no error of a report. `unread` lists such sentences.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from groundglass.core import Finding, Term
from groundglass.metrics.judge.protocol import Entailment, GreenCounts, Phrase, ReportError
from groundglass.metrics.reports.entailment import contradicting, supporting
from groundglass.metrics.reports.report_errors import align, distinct
from groundglass.metrics.reports.statement import Statement, statements_of
from groundglass.metrics.reports.wording import worded

Reader = Callable[[str], Sequence[Finding]]
VERSION = "1"
_REMEMBERED = 65536
_LETTER = re.compile(r"[^\W\d_]")
# A full stop, semicolon or line end closes a sentence; a decimal point does not.
_SENTENCE_END = re.compile(r"(?<=[^\s\d][.;!?])\s+|(?<=\d[.;])\s+(?=[A-Z])|\s*\n+\s*")


class RuleJudge:
    """Judge on rules. `reader` gives the findings of a text (`groundglass.text` has one); `reader_name` names it."""

    parallel = 1

    def __init__(self, reader: Reader, reader_name: str = "reader") -> None:
        self.name = f"rules {VERSION} on {reader_name}"
        self._reader = reader
        self._usual_place: Callable[[Term], Term | None] = lru_cache(_REMEMBERED)(self._place_of_the_bare_word)
        self._read: Callable[[str], tuple[Statement, ...]] = lru_cache(_REMEMBERED)(
            lambda text: statements_of(reader(text), self._usual_place)
        )

    def _place_of_the_bare_word(self, what: Term) -> Term | None:
        """Where the reader takes a concept to be when its name stands alone: a reader's own default says nothing."""
        return next((f.where.anatomy for f in self._reader(f"{what.name}.") if f.what == what), None)

    def statements(self, text: str) -> tuple[Statement, ...]:
        """What the reader finds in a text, in the judge's vocabulary."""
        return self._read(text)

    def phrases(self, report: str) -> tuple[str, ...]:
        """Sentences as they stand; one that states several findings is split where the reader reads its parts alike."""
        phrases: list[str] = []
        for sentence in sentences(report):
            stated = distinct(self._read(sentence))
            parts = [worded(statement) for statement in stated]
            is_faithful = len(stated) > 1 and all(
                distinct(self._read(part)) == (statement,) for part, statement in zip(parts, stated, strict=True)
            )
            phrases += parts if is_faithful else [sentence]
        return tuple(phrases)

    def unread(self, report: str) -> tuple[str, ...]:
        """Sentences in which the reader finds nothing."""
        return tuple(sentence for sentence in sentences(report) if not self._read(sentence))

    def entails(self, hypothesis: Phrase, premises: Sequence[Phrase]) -> Entailment:
        """Entailed when every statement of the hypothesis is; evidence: the premises used, or those that contradict."""
        verbatim = tuple(i for i, premise in enumerate(premises) if _key(premise.text) == _key(hypothesis.text))
        if verbatim:
            return Entailment("entailed", verbatim[:1], "word for word")
        stated = self._read(hypothesis.text)
        if not stated:
            return Entailment("not entailed", (), "the reader finds no statement in it")
        owners = [index for index, premise in enumerate(premises) for _ in self._read(premise.text)]
        known = [statement for premise in premises for statement in self._read(premise.text)]
        support = [supporting(statement, known) for statement in stated]
        if all(support):
            used = sorted({owners[index] for indices in support for index in indices})
            return Entailment("entailed", tuple(used), "; ".join(worded(statement) for statement in stated))
        against = sorted({owners[index] for statement in stated for index in contradicting(statement, known)})
        open_ones = [worded(statement) for statement, found in zip(stated, support, strict=True) if not found]
        said = "contradicted" if against else "not stated"
        return Entailment("not entailed", tuple(against), f"{said}: {' '.join(open_ones)}")

    def errors(self, candidate: str, reference: str) -> tuple[ReportError, ...]:
        """Errors of `candidate` by aligning the statements of both reports."""
        return align(self._read(candidate), self._read(reference)).errors

    def green(self, candidate: str, reference: str) -> GreenCounts:
        """Matched statements, denials among them, and the errors of `candidate`."""
        alignment = align(self._read(candidate), self._read(reference))
        return GreenCounts(alignment.matched, alignment.errors)


def sentences(report: str) -> tuple[str, ...]:
    """The sentences of a report; what holds no letter, as the number of a list, is none."""
    return tuple(part.strip() for part in _SENTENCE_END.split(report) if _LETTER.search(part))


def _key(text: str) -> str:
    return " ".join(text.casefold().rstrip(" .").split())
