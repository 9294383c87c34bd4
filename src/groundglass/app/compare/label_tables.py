"""Tables of labels, read as one of two tasks: labels that are there or not, or one class per case."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from groundglass.app.compare.cases import listed, missing_error, pair_cases
from groundglass.app.compare.records import CASE_COLUMNS, PATIENT_COLUMNS, Record, Table, keyed, read_table
from groundglass.app.compare.settings import Settings
from groundglass.core import InputError


@dataclass(frozen=True)
class Answers:
    """One label over the cases for which the truth is known, in one order. `truth` is 0 or 1, `scores` are finite,
    `groups` are subgroups of the cases (none: empty)."""

    cases: tuple[str, ...]
    patients: tuple[str, ...]
    groups: tuple[str, ...]
    truth: tuple[int, ...]
    scores: tuple[float, ...]

    @property
    def is_decided(self) -> bool:
        """True when the scores are decisions (0 or 1 only): they rank nothing."""
        return set(self.scores) <= {0.0, 1.0}

    @property
    def is_probability(self) -> bool:
        return all(0 <= score <= 1 for score in self.scores)


@dataclass(frozen=True)
class Classes:
    """One class per case. `is_ordinal` where all classes are numbers, `order` then sorted by value."""

    cases: tuple[str, ...]
    patients: tuple[str, ...]
    truth: tuple[str, ...]
    said: tuple[str, ...]
    order: tuple[str, ...]
    is_ordinal: bool


@dataclass(frozen=True)
class LabelTask:
    """What a pair of tables asks: `answers` by label, or `classes`. `unknown` counts empty cells of the truth."""

    answers: Mapping[str, Answers]
    classes: Classes | None
    cases: int
    missing: tuple[str, ...]
    notes: tuple[str, ...]


def read_task(
    prediction: Path, truth: Path, settings: Settings, labels: Sequence[str] = (), group: str | None = None
) -> LabelTask:
    """Pair two tables by case and read the columns that both have (or `labels` names).

    One column whose truths are not all 0 or 1 holds classes; else each column is a label, 0 or 1 in the truth (an empty
    cell: not known, left out), a finite score or decision in the prediction. `group` is a column of the truth with the
    subgroup of each case. Raises InputError for other values, cases that occur twice or are missing, and tables without
    a common column.
    """
    said, real = read_table(prediction), read_table(truth)
    rows, truths = keyed(said, settings), keyed(real, settings)
    cases, missing, extra = pair_cases(rows, truths, prediction, truth, settings)
    columns = _columns(said, real, settings, labels, group)
    patients = {case: truths[case][0] for case in cases}
    notes = [f"{len(extra)} prediction(s) have no truth and were left out"] if extra else []
    given = {case: rows[case][1] if case in rows else None for case in cases}
    known = {case: truths[case][1] for case in cases}
    named = None if group is None else real.column(group, (), "subgroup")
    groups = {case: "" if named is None else record.text(named) for case, record in known.items()}
    if len(columns) == 1 and not _is_binary(known.values(), columns[0]):
        classes = _classes(columns[0], given, known, patients, settings)
        return LabelTask({}, classes, len(cases), tuple(missing), tuple(notes))
    answers = {}
    for column in columns:
        answers[column], empty = _answers(column, given, known, patients, groups, settings, prediction)
        if empty:
            notes.append(f"{column}: {empty} case(s) without a truth were left out")
    return LabelTask(answers, None, len(cases), tuple(missing), tuple(notes))


def _columns(said: Table, real: Table, settings: Settings, labels: Sequence[str], group: str | None) -> list[str]:
    """The label columns. Raises InputError where a table lacks one, or the two sets differ without `labels`."""
    if labels:
        for table in (said, real):
            lacking = [label for label in labels if label not in table.columns]
            if lacking:
                raise InputError(table.path, f"has no column {lacking[0]}", f"It has {listed(table.columns)}.")
        return list(labels)
    of = [_label_columns(table, settings, group) for table in (said, real)]
    if set(of[0]) != set(of[1]):
        only = sorted(set(of[0]) ^ set(of[1]))
        raise InputError(
            f"{said.path} and {real.path}", f"have different label columns: {listed(only)}", "Name some by --labels."
        )
    return list(of[1])


def _label_columns(table: Table, settings: Settings, group: str | None) -> list[str]:
    used = {
        group,
        table.column(settings.case_column, CASE_COLUMNS, "case id"),
        table.find(settings.patient_column, PATIENT_COLUMNS, "patient id"),
    }
    return [column for column in table.columns if column not in used]


def _is_binary(records: object, column: str) -> bool:
    values = {_cell(record, column) for record in records}  # type: ignore[attr-defined]
    return all(value == "" or _number(value) in (0.0, 1.0) for value in values)


def _cell(record: Record, column: str) -> str:
    value = record.values.get(column)
    return "" if value is None else str(int(value) if isinstance(value, bool) else value).strip()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _answers(
    column: str,
    given: Mapping[str, Record | None],
    known: Mapping[str, Record],
    patients: Mapping[str, str],
    groups: Mapping[str, str],
    settings: Settings,
    prediction: Path,
) -> tuple[Answers, int]:
    """A label's answers, and the cases whose truth is empty. Missing scores follow the rule for missing cases."""
    truth = {case: _truth(record, column) for case, record in known.items() if _cell(record, column)}
    scores = {case: record.number(column) for case, record in given.items()
              if case in truth and record is not None and _is_given(record, column)}  # fmt: skip
    lacking = [case for case in truth if case not in scores]
    if lacking and settings.missing == "error":
        first = given[lacking[0]]
        raise missing_error(first.place if first else prediction, lacking, f"{column} (NaN or empty)")
    if lacking and settings.missing == "worst":
        low, high = min([0.0, *scores.values()]), max([1.0, *scores.values()])
        scores |= {case: low if truth[case] else high for case in lacking}
    cases = tuple(case for case in truth if case in scores)
    answers = Answers(
        cases,
        tuple(patients[case] for case in cases),
        tuple(groups[case] for case in cases),
        tuple(truth[case] for case in cases),
        tuple(scores[case] for case in cases),
    )
    return answers, len(known) - len(truth)


def _is_given(record: Record, column: str) -> bool:
    return _cell(record, column).casefold() not in ("", "nan", "na", "none", "null")


def _truth(record: Record, column: str) -> int:
    value = _number(_cell(record, column))
    if value not in (0.0, 1.0):
        raise InputError(
            record.place,
            f"has {_cell(record, column)!r} as the truth of {column}",
            "Use 0 or 1, or leave the cell empty where the truth is not known.",
        )
    return int(value)


def _classes(
    column: str,
    given: Mapping[str, Record | None],
    known: Mapping[str, Record],
    patients: Mapping[str, str],
    settings: Settings,
) -> Classes:
    truth = {case: _class(record.text(column)) for case, record in known.items()}
    said = {case: _class(record.text(column)) if record is not None else "(missing)" for case, record in given.items()}
    classes = sorted(set(truth.values()))
    unknown = sorted(set(said.values()) - set(classes) - {"(missing)"})
    if unknown and not all(_is_number(name) for name in (*classes, *unknown)):
        raise InputError(
            f"column {column}", f"predicts {listed(unknown)}, which no truth is", f"The truths are {listed(classes)}."
        )
    ordinal = all(_is_number(name) for name in (*classes, *unknown))
    order = sorted({*classes, *unknown}, key=float if ordinal else str)
    if ordinal:
        # The class that is farthest from the truth is the worst that could have been said.
        ends = (order[0], order[-1])
        farthest = {case: max(ends, key=lambda end: abs(float(end) - float(t))) for case, t in truth.items()}
        said = {case: farthest[case] if name == "(missing)" else name for case, name in said.items()}
    elif "(missing)" in said.values():
        order.append("(missing)")
    cases = tuple(truth)
    return Classes(
        cases,
        tuple(patients[case] for case in cases),
        tuple(truth[case] for case in cases),
        tuple(said[case] for case in cases),
        tuple(order),
        ordinal,
    )


def _class(text: str) -> str:
    """The name of a class; 2 and 2.0 are one."""
    number = _number(text)
    return str(int(number)) if math.isfinite(number) and number == int(number) else text


def _is_number(text: str) -> bool:
    return math.isfinite(_number(text))
