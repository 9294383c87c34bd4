"""What a judge of reports is asked and what it answers; every judge (rules, endpoint, recorded) speaks this.

Entailment of one phrase by a list of phrases is the question of RadFact (arXiv 2406.04449), errors of six kinds,
significant or not, that of CheXprompt (arXiv 2403.08002), matched findings beside those errors that of GREEN
(arXiv 2405.03595). A judge may be called from several threads at once, up to its own `parallel`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar, get_args, runtime_checkable

from groundglass.core.errors import GroundglassError

Verdict = Literal["entailed", "not entailed"]

ErrorKind = Literal[
    "false finding",
    "omitted finding",
    "wrong location",
    "wrong severity",
    "false comparison",
    "omitted comparison",
]
ERROR_KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)
"""The six kinds in the order of the papers (A to F). Swapping candidate and reference exchanges A with B, E with F."""

Corners = tuple[float, float, float, float]
"""A box as x0, y0, x1, y1 in [0, 1] of the image's width and height, x to the right, y downwards."""


class JudgeError(GroundglassError):
    """A judge gave no usable answer to one question. It is neither a yes nor a no: count it, never score it."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """One statement of a report, with its boxes when it is grounded (none = not grounded)."""

    text: str
    boxes: tuple[Corners, ...] = ()


@dataclass(frozen=True, slots=True)
class Entailment:
    """Whether the premises state the hypothesis, and by which of them (indices into the premises, in order).

    Evidence may be given with "not entailed", too: the premises that contradict.
    """

    verdict: Verdict
    evidence: tuple[int, ...] = ()
    note: str = ""

    @property
    def entailed(self) -> bool:
        return self.verdict == "entailed"


@dataclass(frozen=True, slots=True)
class ReportError:
    """One error of a candidate report. Significant = it may change treatment, management or outcome."""

    kind: ErrorKind
    significant: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class GreenCounts:
    """What GREEN counts: the findings that both reports state, and the errors of the candidate."""

    matched: tuple[str, ...]
    errors: tuple[ReportError, ...]


@runtime_checkable
class Judge(Protocol):
    """Answers questions about reports. Every method raises JudgeError when it has no usable answer."""

    @property
    def name(self) -> str:
        """Who judges, with the version of model, rules and prompts: it belongs beside every score."""

    @property
    def parallel(self) -> int:
        """How many questions may be asked at the same time (1 for a judge that computes)."""

    def phrases(self, report: str) -> tuple[str, ...]:
        """The statements of a narrative report, one finding each, negatives kept, wording kept where it can be."""

    def entails(self, hypothesis: Phrase, premises: Sequence[Phrase]) -> Entailment:
        """Whether `premises` (in any number, none = not entailed) state `hypothesis`; boxes are not looked at."""

    def errors(self, candidate: str, reference: str) -> tuple[ReportError, ...]:
        """The errors of `candidate` against `reference`, one entry per error, in the order of ERROR_KINDS."""

    def green(self, candidate: str, reference: str) -> GreenCounts:
        """The findings that `candidate` shares with `reference`, and its errors."""


Question = TypeVar("Question")
Answer = TypeVar("Answer")


def ask_all(
    ask: Callable[[Question], Answer], questions: Sequence[Question], parallel: int
) -> list[Answer | JudgeError]:
    """`ask` of every question, in order, at most `parallel` at a time; a failure stands in its question's place.

    Other errors than JudgeError are the caller's mistakes, and end the run.
    """

    def answer(question: Question) -> Answer | JudgeError:
        try:
            return ask(question)
        except JudgeError as failure:
            return failure

    if parallel <= 1 or len(questions) <= 1:
        return [answer(question) for question in questions]
    with ThreadPoolExecutor(min(parallel, len(questions))) as pool:
        return list(pool.map(answer, questions))
