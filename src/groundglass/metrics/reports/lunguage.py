"""LunguageScore: structured reports, alone or in sequence, compared for meaning, structure and time (arXiv 2505.21190).

A report is a table of rows (entity with its relations and attributes). Each pair of rows matches by the product of

- semantic: cosine of the row phrases (of the entity groups' names in a sequence), mean over the encoders;
- structural: weighted mean over the relations that either row has; status and certainty exact, others by cosine, a
  relation that one row lacks scores 0;
- temporal: the same over study and episode, exact (in a sequence only).

Rows are assigned one to one (Hungarian method on 1 - match, no threshold). TP is the sum of matched scores; FP is the
sum of 1 - score over the matched plus 1 - best score for each candidate row left over; FN likewise for reference rows.
A verbose candidate loses little precision that way: `ratio` of the row counts is therefore returned with the score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from groundglass.core import InputError
from groundglass.metrics.reports.sentence_encoder import CharacterEncoder, SentenceEncoder

RELATION_WEIGHTS: Mapping[str, float] = {
    "dx_status": 0.5,
    "dx_certainty": 0.1,
    "location": 0.2,
    "severity": 0.15,
    "onset": 0.15,
    "improved": 0.15,
    "worsened": 0.15,
    "placement": 0.15,
    "no change": 0.1,
    "morphology": 0.05,
    "distribution": 0.05,
    "measurement": 0.05,
    "comparison": 0.03,
    "past hx": 0.01,
    "other source": 0.01,
    "assessment limitations": 0.01,
}
"""Weights of the release; they are divided by their sum over the relations present."""
EXACT = frozenset({"dx_status", "dx_certainty"})
PHRASE_RELATIONS = (
    "location",
    "morphology",
    "distribution",
    "measurement",
    "severity",
    "onset",
    "improved",
    "worsened",
    "no change",
    "placement",
)


@dataclass(frozen=True, slots=True)
class LunguageRow:
    """One entity as one report states it.

    `relations` maps names of RELATION_WEIGHTS to text ("dx_status": "positive"); empty text counts as missing.
    `sequence` numbers the study, `group` names what is the same thing over time, `episode` numbers its course.
    """

    entity: str
    relations: Mapping[str, str] = field(default_factory=dict)
    sequence: int = 1
    group: str = ""
    episode: int = 1

    def __post_init__(self) -> None:
        unknown = sorted(set(self.relations) - set(RELATION_WEIGHTS))
        if not self.entity.strip() or unknown:
            raise InputError(
                f"row {self.entity!r}",
                f"has no entity or the unknown relations {unknown}",
                f"Use {', '.join(RELATION_WEIGHTS)}.",
            )

    @property
    def phrase(self) -> str:
        """The entity and what is said of its place, form, size and course, in the order of the paper."""
        return " ".join(
            [self.entity, *(self.relations[name] for name in PHRASE_RELATIONS if self.relations.get(name))]
        ).strip()

    @property
    def group_name(self) -> str:
        return self.group or self.entity


@dataclass(frozen=True, slots=True)
class RowMatch:
    """Indices of a candidate and a reference row, and their match score."""

    candidate: int
    reference: int
    score: float


@dataclass(frozen=True, slots=True)
class LunguageScore:
    """Soft precision, recall, F1 in [0, 1]; `matches` to read; `ratio` = candidate rows over reference rows."""

    precision: float
    recall: float
    f1: float
    matches: tuple[RowMatch, ...]
    ratio: float


def lunguage_score(
    candidate: Sequence[LunguageRow],
    reference: Sequence[LunguageRow],
    encoders: Sequence[SentenceEncoder] | None = None,
) -> LunguageScore:
    """Score of one report. `encoders` default to character n-grams (the paper: BioLORD-2023 and MedCPT).

    Two empty tables agree (1); an empty and a filled one score 0.
    """
    return _score(candidate, reference, encoders, _phrases, None)


def lunguage_sequence_score(
    candidate: Sequence[LunguageRow],
    reference: Sequence[LunguageRow],
    encoders: Sequence[SentenceEncoder] | None = None,
) -> LunguageScore:
    """Score of a patient's reports in sequence: group names carry the meaning, study and episode the time."""
    return _score(candidate, reference, encoders, _groups, _temporal)


def _phrases(rows: Sequence[LunguageRow]) -> list[str]:
    return [row.phrase for row in rows]


def _groups(rows: Sequence[LunguageRow]) -> list[str]:
    return [row.group_name for row in rows]


def _temporal(candidate: Sequence[LunguageRow], reference: Sequence[LunguageRow]) -> NDArray[np.float64]:
    """Half for the study, half for the episode."""
    studies, episodes = (
        np.equal.outer([getattr(r, name) for r in candidate], [getattr(r, name) for r in reference])
        for name in ("sequence", "episode")
    )
    scores: NDArray[np.float64] = 0.5 * studies + 0.5 * episodes
    return scores


def _score(
    candidate: Sequence[LunguageRow],
    reference: Sequence[LunguageRow],
    encoders: Sequence[SentenceEncoder] | None,
    texts: Callable[[Sequence[LunguageRow]], list[str]],
    time: Callable[[Sequence[LunguageRow], Sequence[LunguageRow]], NDArray[np.float64]] | None,
) -> LunguageScore:
    if not candidate or not reference:
        value = 1.0 if not candidate and not reference else 0.0
        return LunguageScore(value, value, value, (), len(candidate) / len(reference) if reference else float("nan"))
    used = encoders or (CharacterEncoder(),)
    semantic = np.mean([_cosines(texts(candidate), texts(reference), e) for e in used], axis=0)
    match = semantic * np.mean([_structural(candidate, reference, e) for e in used], axis=0)
    if time is not None:
        match = match * time(candidate, reference)
    return _assigned(match)


def _structural(
    candidate: Sequence[LunguageRow], reference: Sequence[LunguageRow], encoder: SentenceEncoder
) -> NDArray[np.float64]:
    """Weighted mean similarity over the relations that either row has; 0 when neither has any."""
    scores = np.zeros((len(candidate), len(reference)))
    norm = np.zeros_like(scores)
    for name, weight in RELATION_WEIGHTS.items():
        first, second = ([row.relations.get(name, "").strip() for row in rows] for rows in (candidate, reference))
        has_first, has_second = (np.array([bool(text) for text in texts]) for texts in (first, second))
        norm += weight * np.logical_or.outer(has_first, has_second)
        both = np.logical_and.outer(has_first, has_second)
        if both.any():
            scores += weight * both * _similarity(first, second, encoder, name in EXACT)
    result: NDArray[np.float64] = np.divide(scores, norm, out=np.zeros_like(scores), where=norm > 0)
    return result


def _similarity(
    first: Sequence[str], second: Sequence[str], encoder: SentenceEncoder, exact: bool
) -> NDArray[np.float64]:
    if exact:
        return np.equal.outer([t.casefold() for t in first], [t.casefold() for t in second]).astype(float)
    return _cosines(first, second, encoder)


def _cosines(first: Sequence[str], second: Sequence[str], encoder: SentenceEncoder) -> NDArray[np.float64]:
    """Cosines of all pairs; each distinct text is encoded once, as few words recur in many rows."""
    (ours, at_ours), (theirs, at_theirs) = (np.unique(texts, return_inverse=True) for texts in (first, second))
    # Rounding must not make a row match better than perfectly.
    cosines: NDArray[np.float64] = np.minimum(encoder(ours.tolist()) @ encoder(theirs.tolist()).T, 1.0)
    return cosines[np.ix_(at_ours, at_theirs)]


def _assigned(match: NDArray[np.float64]) -> LunguageScore:
    """Soft counts of the best one-to-one assignment of a (candidates, references) matrix of match scores."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(1 - match)
    scores = match[rows, columns]
    hits = float(scores.sum())
    missed = float((1 - scores).sum())
    spare_rows = np.setdiff1d(np.arange(match.shape[0]), rows)
    spare_columns = np.setdiff1d(np.arange(match.shape[1]), columns)
    false = missed + float((1 - match[spare_rows].max(axis=1)).sum())
    lost = missed + float((1 - match[:, spare_columns].max(axis=0)).sum())
    precision = hits / (hits + false) if hits + false else 0.0
    recall = hits / (hits + lost) if hits + lost else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    matches = tuple(
        RowMatch(int(row), int(column), float(score)) for row, column, score in zip(rows, columns, scores, strict=True)
    )
    return LunguageScore(precision, recall, f1, matches, match.shape[0] / match.shape[1])
