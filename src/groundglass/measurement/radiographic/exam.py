"""A whole exam from many measured radiographs: per task and case the direct path, the guidance, and another case."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from groundglass.measurement.radiographic.exam_items import direct_items, guidance_items, states_value
from groundglass.measurement.radiographic.row import TaskRow
from groundglass.metrics.reasoning_exam import Agent, ExamScores, Item, score, sit, sit_guided


@dataclass(frozen=True, slots=True)
class CaseExam:
    """Path 1 (`direct`) and path 2 of one case: `guidance` on it, `review` on another case of the same task."""

    task: str
    case: str
    direct: tuple[Item, ...]
    guidance: tuple[Item, ...]
    review: tuple[Item, ...]


def build_exam(
    rows: Mapping[str, Mapping[str, TaskRow]],
    shown: Mapping[str, Sequence[str]],
    rng: np.random.Generator,
    *,
    per_task: int = 100,
) -> tuple[CaseExam, ...]:
    """At most `per_task` cases per task, drawn from those with a label, label 1 and 0 as evenly as they allow.

    `rows` maps a case to its rows by task, `shown` a case to the regions that have an overlay. Tasks with fewer
    than two labelled cases are left out: the review needs another one.
    """
    exams: list[CaseExam] = []
    for task in dict.fromkeys(task for by_task in rows.values() for task in by_task):
        cases = _balanced({case: by_task[task] for case, by_task in rows.items() if task in by_task}, rng, per_task)
        if len(cases) < 2:
            continue
        for case, other in zip(cases, [*cases[1:], cases[0]], strict=True):
            row, another = rows[case][task], rows[other][task]
            direct = direct_items(row, case, shown[case], rng)
            taught = guidance_items(row, case, shown[case], rng)
            review = direct_items(another, other, shown[other], rng, path="review")
            exams.append(CaseExam(task, case, direct, taught, review))
    return tuple(exams)


def sit_exam(agent: Agent, exams: Sequence[CaseExam]) -> ExamScores:
    """The scores of an agent on the direct path."""
    return score([sit(agent, exam.direct) for exam in exams], with_values=states_value)


def sit_guided_exam(agent: Agent, exams: Sequence[CaseExam]) -> tuple[ExamScores, ExamScores | None]:
    """The scores under guidance and, of those who followed it to the end, on another case without help.

    The benchmark sends only those cases here that the agent did not decide: pass these.
    """
    pairs = [sit_guided(agent, sit(agent, exam.direct), exam.guidance, exam.review) for exam in exams]
    reviewed = [review for _, review in pairs if review is not None]
    guided = score([guided for guided, _ in pairs], with_values=states_value)
    return guided, score(reviewed, with_values=states_value) if reviewed else None


def to_json(exams: Iterable[CaseExam]) -> str:
    """The items as JSON lines, one question each: question, options, answer, img_path, stage and where it belongs."""
    items = [item for exam in exams for item in (*exam.direct, *exam.guidance, *exam.review)]
    return "".join(json.dumps(item.to_dict(), ensure_ascii=False) + "\n" for item in items)


def _balanced(rows: Mapping[str, TaskRow], rng: np.random.Generator, most: int) -> list[str]:
    labelled = [[case for case, row in rows.items() if row.label == label] for label in (1, 0)]
    drawn = [[group[i] for i in rng.permutation(len(group))] for group in labelled]
    few, many = sorted(drawn, key=len)
    half = few[: most // 2]
    chosen = half + many[: most - len(half)]
    return [chosen[i] for i in rng.permutation(len(chosen))]
