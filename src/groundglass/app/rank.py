"""`groundglass rank`: a challenge's ranking of a table of results, and how stable it is."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from groundglass.app.compare.printing import as_json as json_text
from groundglass.app.compare.printing import number, plain_table, probability, stdout_console
from groundglass.app.compare.records import CASE_COLUMNS, PATIENT_COLUMNS, Record, Table, read_table
from groundglass.core import ConfigurationError, InputError
from groundglass.metrics.ranking import PairTest, Ranking, Result, find_scheme, rank

if TYPE_CHECKING:
    from groundglass.metrics.ranking.scheme import Missing

ALGORITHM_COLUMNS = ("method", "algorithm", "team", "model", "submission")
GROUP_COLUMNS = ("group", "phase", "task", "region")
_ALL_PAIRS = 40
_RULES: dict[str | None, Missing | None] = {None: None, "skip": "leave out", "worst": "worst", "error": "refuse"}


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says; `allow_missing` None leaves missing values to the scheme."""

    scheme: str
    label: str | None = None
    baseline: str | None = None
    allow_missing: str | None = None
    resamples: int = 1000
    seed: int = 0


def run(path: Path, options: Options, *, as_json: bool, as_csv: bool) -> None:
    """Print the ranking. Raises ConfigurationError for wrong options, InputError for a table that cannot be ranked."""
    if as_json and as_csv:
        raise ConfigurationError("--json --csv", "both print on stdout", "Use one of them.")
    if options.allow_missing not in _RULES:
        raise ConfigurationError(
            f"--allow-missing {options.allow_missing}", "is not a rule", "Use skip, worst or error."
        )
    find_scheme(options.scheme)
    ranking = rank(
        read_results(path, options.label),
        options.scheme,
        missing=_RULES[options.allow_missing],
        baseline=options.baseline,
        resamples=options.resamples,
        seed=options.seed,
    )
    if as_json:
        typer.echo(json_text(document_of(ranking, options)))
    elif as_csv:
        typer.echo(csv_of(ranking))
    else:
        _print(ranking, options)


def read_results(path: Path, label: str | None = None) -> list[Result]:
    """Results of a table: one value per row (method, case, metric, value), or one column per metric.

    What `compare --rows` writes is the first. With a column of labels, `label` chooses one; otherwise a case counts by
    the mean over its labels. An empty cell or NaN is a missing value.
    Raises InputError for other text, infinite values, and a row that occurs twice.
    """
    table = read_table(path)
    algorithm = table.column(None, ALGORITHM_COLUMNS, "algorithm")
    case = table.column(None, CASE_COLUMNS, "case id")
    patient, group = table.find(None, PATIENT_COLUMNS, "patient id"), table.find(None, GROUP_COLUMNS, "group")
    labels = table.find(None, ("label",), "label")
    if label is not None and labels is None:
        raise InputError(path, "has no column label", f"Leave out --label {label}.")
    kept = [record for record in table.records if label is None or record.text(str(labels)) == label]
    if not kept:
        raise InputError(path, f"has no row with the label {label}", "Name one that occurs.")
    used = {algorithm, case, patient, group, labels}
    found: dict[tuple[str, str, str, str, str], dict[str, float]] = {}
    for record in kept:
        key = (record.text(algorithm), record.text(case), _cell(record, group), _cell(record, patient))
        name = _cell(record, labels)
        for metric, value in _values(table, record, used):
            values = found.setdefault((*key, metric), {})
            if name in values:
                raise InputError(record.place, f"gives {metric} of {key[0]} in {key[1]} again", "Keep one row of each.")
            values[name] = value
    return [
        Result(algorithm, case, metric, _mean(values.values()), group, patient)
        for (algorithm, case, group, patient, metric), values in found.items()
    ]


def _values(table: Table, record: Record, used: set[str | None]) -> list[tuple[str, float]]:
    if {"metric", "value"} <= set(table.columns):
        return [(record.text("metric"), _number(record, "value"))]
    return [(column, _number(record, column)) for column in table.columns if column not in used]


def _cell(record: Record, column: str | None) -> str:
    value = record.values.get(column) if column else None
    return "" if value is None else str(value).strip()


def _number(record: Record, column: str) -> float:
    """The value, NaN for an empty cell; text and infinity are errors."""
    return math.nan if _cell(record, column).casefold() in ("", "nan", "na", "none") else record.number(column)


def _mean(values: Iterable[float]) -> float:
    held = [value for value in values if not math.isnan(value)]
    return math.fsum(held) / len(held) if held else math.nan


def document_of(ranking: Ranking, options: Options) -> dict[str, Any]:
    """The ranking as plain values."""
    mean, low, high = ranking.tau
    return {
        "scheme": ranking.scheme,
        "source": find_scheme(ranking.scheme).source,
        "high_wins": ranking.high_wins,
        "cases": ranking.cases,
        "patients": ranking.patients,
        "missing": ranking.missing,
        "missing_rule": ranking.missing_rule,
        "resamples": options.resamples,
        "seed": options.seed,
        "kendall_tau": {"mean": mean, "low": low, "high": high},
        "ranking": [asdict(line) for line in ranking.lines],
        "pairs": [asdict(pair) for pair in ranking.pair_tests()],
        "excluded": dict(ranking.excluded),
    }


def csv_of(ranking: Ranking) -> str:
    """The lines of the ranking as CSV, a column per metric's mean."""
    metrics = list(ranking.lines[0].means)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("rank", "algorithm", "score", "rank_low", "rank_high", "first_share", *metrics))
    for line in ranking.lines:
        cells = (line.score, line.rank_low, line.rank_high, line.first_share, *(line.means[m] for m in metrics))
        writer.writerow((line.rank, line.algorithm, *("" if math.isnan(cell) else cell for cell in cells)))
    return text.getvalue().rstrip("\n")


def _print(ranking: Ranking, options: Options) -> None:
    console = stdout_console()
    console.print(_lines_table(ranking))
    pairs = ranking.pair_tests()
    if pairs:
        console.print(_pairs_table(ranking, pairs))
    for name, reason in ranking.excluded.items():
        console.print(f"not ranked: {name}: {reason}")
    wins = "high" if ranking.high_wins else "low"
    console.print(f"{ranking.scheme}: {find_scheme(ranking.scheme).source}", style="dim")
    console.print(f"{ranking.cases} cases of {ranking.patients} patients; the {wins} score wins", style="dim")
    if ranking.missing:
        console.print(f"{ranking.missing} missing value(s): {ranking.missing_rule}", style="dim")
    if options.resamples:
        mean, low, high = ranking.tau
        how = f"stability: {options.resamples} bootstrap samples of patients, seed {options.seed}"
        tau = f"Kendall's tau with this ranking {number(mean)} ({number(low)} to {number(high)})"
        console.print(f"{how}; {tau}", style="dim")


def _lines_table(ranking: Ranking) -> Any:
    metrics = list(ranking.lines[0].means)
    table = plain_table(("rank", "algorithm", "score", "95 % of ranks", "first", *metrics))
    for line in ranking.lines:
        interval = "-" if math.isnan(line.rank_low) else f"{line.rank_low:g} to {line.rank_high:g}"
        first = "-" if math.isnan(line.first_share) else f"{line.first_share:.0%}"
        means = [number(line.means[metric]) for metric in metrics]
        table.add_row(str(line.rank), line.algorithm, number(line.score), interval, first, *means)
    return table


def _pairs_table(ranking: Ranking, tests: Sequence[PairTest]) -> Any:
    """Pairwise tests; of many algorithms only each with the next, the rest is in --json."""
    order = {line.algorithm: place for place, line in enumerate(ranking.lines)}
    pairs = [p for p in tests if len(tests) <= _ALL_PAIRS or abs(order[p.first] - order[p.second]) == 1]
    table = plain_table(("metric", "pair", "n", "difference", "p Wilcoxon", "p (Holm)"))
    for pair in pairs:
        cells = (str(pair.n), number(pair.difference), probability(pair.p), probability(pair.holm))
        table.add_row(pair.metric, f"{pair.first} - {pair.second}", *cells)
    return table
