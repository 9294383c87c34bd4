"""One comparison from start to end: score, summarise, test, print; the exit code."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer

from groundglass import __version__
from groundglass.app.compare.kind import Kind, Scored, Test
from groundglass.app.compare.printing import as_csv, as_json, print_tables, problems
from groundglass.app.compare.settings import Settings, method_names
from groundglass.core import ConfigurationError, InputError
from groundglass.io import write_text_atomic
from groundglass.metrics.statistics import PairedComparison, compare_paired, summarise


@dataclass(frozen=True, slots=True)
class Output:
    """What is printed (`table`, `json` or `csv`), and the file for single values."""

    form: str
    rows: Path | None

    @classmethod
    def of(cls, *, as_json: bool, as_csv: bool, rows: Path | None) -> Output:
        """Raises ConfigurationError where both forms are asked for: stdout holds one document."""
        if as_json and as_csv:
            raise ConfigurationError("--json --csv", "both print on stdout", "Use one of them.")
        return cls("json" if as_json else "csv" if as_csv else "table", rows)


def run_comparison(
    kind: Kind, prediction: Path, truth: Path, against: Path | None, settings: Settings, output: Output
) -> int:
    """Print the comparison; 0 when every case was scored, 1 when some could not be (they are listed)."""
    paths = [prediction, against] if against else [prediction]
    names = method_names(prediction, against) if against else (prediction.resolve().name,)
    scored = {name: kind.score(path, truth, settings) for name, path in zip(names, paths, strict=True)}
    document = document_of(kind, scored, settings, truth)
    if output.rows:
        write_rows(scored, output.rows)
    if output.form == "json":
        typer.echo(as_json(document))
    elif output.form == "csv":
        typer.echo(as_csv(document))
    else:
        print_tables(document)
    for line in problems(document):
        typer.echo(line, err=True)
    return 1 if any(one.failures for one in scored.values()) else 0


def document_of(kind: Kind, scored: Mapping[str, Scored], settings: Settings, truth: Path) -> dict[str, Any]:
    """All results as plain values, in the form that `--json` prints. Raises InputError where no case was scored."""
    for name, one in scored.items():
        if not one.rows and not one.figures:
            reasons = "; ".join(f"{case}: {reason}" for case, reason in list(one.failures.items())[:3])
            raise InputError(
                name, f"none of its {one.cases} case(s) could be scored ({reasons})", "Mend the first, then try again."
            )
    return {
        "groundglass": __version__,
        "kind": kind.name,
        "truth": str(truth),
        "conventions": dict(kind.rules),
        "missing_rule": settings.missing,
        "interval": f"95 % bootstrap interval, {settings.resamples} resamples of patients, seed {settings.seed}",
        "methods": [_method(name, one) for name, one in scored.items()],
        "summaries": [
            _described(kind, asdict(summary), method=name)
            for name, one in scored.items()
            for summary in summarise(one.rows, resamples=settings.resamples, seed=settings.seed)
        ],
        "figures": [
            _described(kind, asdict(figure), method=name) for name, one in scored.items() for figure in one.figures
        ],
        "tests": [_described(kind, asdict(test)) for test in _tests(kind, list(scored.values()), settings)],
        "rows": [{"method": name, **asdict(row)} for name, one in scored.items() for row in one.rows],
        "warnings": list(dict.fromkeys(note for one in scored.values() for note in one.notes)),
    }


def write_rows(scored: Mapping[str, Scored], path: Path) -> None:
    """Every value as a line of CSV; NaN is an empty cell. Raises InputError where it cannot be written."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("method", "case", "patient", "label", "metric", "value"))
    for name, one in scored.items():
        for row in one.rows:
            value = "" if math.isnan(row.value) else repr(row.value)
            writer.writerow((name, row.case, row.patient, row.label, row.metric, value))
    write_text_atomic(path, text.getvalue())


def _method(name: str, one: Scored) -> dict[str, Any]:
    return {
        "name": name,
        "cases": one.cases,
        "missing": list(one.missing),
        "failures": [{"case": case, "reason": reason} for case, reason in one.failures.items()],
        **one.extra,
    }


def _described(kind: Kind, values: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An aggregate with its metric's title and unit."""
    measure = kind.measure(values["metric"])
    return {**more, **values, "title": measure.title, "unit": measure.unit}


def _tests(kind: Kind, scored: Sequence[Scored], settings: Settings) -> list[Test]:
    """Paired tests of two predictions; none for one."""
    if len(scored) < 2:
        return []
    first, second = scored
    tests = list(kind.tests(first, second, settings))
    if not first.rows:
        return tests
    pairs = compare_paired(
        first.rows, second.rows, resamples=settings.resamples, seed=settings.seed, unmatched="leave out"
    )
    return [*(_of_pair(pair) for pair in pairs), *tests]


def _of_pair(pair: PairedComparison) -> Test:
    return Test(
        pair.label,
        pair.metric,
        pair.n,
        pair.patients,
        pair.left_out,
        pair.difference,
        pair.low,
        pair.high,
        p={"wilcoxon": pair.wilcoxon_p, "permutation": pair.permutation_p},
        holm={"wilcoxon": pair.wilcoxon_holm, "permutation": pair.permutation_holm},
    )
