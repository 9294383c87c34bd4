"""A patient's reports in time order: rows with their groups and episodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from groundglass.core.errors import InputError
from groundglass.text.plain import plain
from groundglass.text.reading import read_report
from groundglass.text.timeline.episodes import LONG_GAP_DAYS, episodes
from groundglass.text.timeline.grouping import group_keys
from groundglass.text.timeline.rows import Row, Study, in_order, rows_of
from groundglass.text.timeline.studies import DatedReport


@dataclass(frozen=True, slots=True)
class PatientTimeline:
    """Studies in time order, and every row with its group and episode."""

    studies: tuple[Study, ...]
    rows: tuple[Row, ...]

    def group(self, name: str) -> tuple[Row, ...]:
        """The rows of a group in time order."""
        return tuple(row for row in self.rows if row.group == name)


def patient_timeline(
    reports: Sequence[DatedReport], *, language: str = "en", long_gap: int = LONG_GAP_DAYS
) -> PatientTimeline:
    """The timeline of one patient. Raises InputError for a date that is none, or an id given twice."""
    given = sorted(reports, key=lambda report: report.date)
    if len({report.study_id for report in given}) < len(given):
        raise InputError("reports", "name a study twice", "Give every report an id of its own.")
    studies = _studies(given)
    rows = [
        row
        for report, study in zip(given, studies, strict=True)
        for row in rows_of(read_report(report.text, language=language), plain(report.text), study)
    ]
    return PatientTimeline(studies, grouped(rows, long_gap=long_gap))


def grouped(rows: Iterable[Row], *, long_gap: int = LONG_GAP_DAYS) -> tuple[Row, ...]:
    """Rows with group and episode, in time order."""
    ordered = in_order(rows)
    keys = group_keys(ordered)
    numbers = episodes(ordered, keys, long_gap=long_gap)
    return tuple(
        replace(row, group=key.name, episode=number) for row, key, number in zip(ordered, keys, numbers, strict=True)
    )


def _studies(reports: Sequence[DatedReport]) -> tuple[Study, ...]:
    days: list[date] = []
    for report in reports:
        try:
            days.append(date.fromisoformat(report.date))
        except ValueError as error:
            raise InputError(report.study_id, f"has the date {report.date!r}", "Give YYYY-MM-DD.") from error
    return tuple(
        Study(report.study_id, number, (day - days[0]).days, report.date)
        for number, (report, day) in enumerate(zip(reports, days, strict=True), start=1)
    )
