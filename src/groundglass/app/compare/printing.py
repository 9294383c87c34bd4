"""The results of a comparison as tables for people, JSON or CSV for programs."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

CSV_COLUMNS = (
    "kind", "method", "label", "metric", "unit", "n", "missing", "patients", "value", "low", "high", "sd", "median",
    "q1", "q3", "p_wilcoxon", "p_wilcoxon_holm", "p_permutation", "p_permutation_holm", "p_delong", "p_delong_holm",
    "note",
)  # fmt: skip
_TESTS = {"wilcoxon": "Wilcoxon", "permutation": "permutation", "delong": "DeLong"}
_WORDS = {"method", "label", "metric", "over all cases", "note", "difference of", "algorithm", "pair"}
_LISTED = 20


def as_json(document: Mapping[str, Any]) -> str:
    """The document as JSON; what is not finite becomes null, because JSON has no NaN."""
    return json.dumps(_finite(document), ensure_ascii=False, allow_nan=False)


def as_csv(document: Mapping[str, Any]) -> str:
    """All aggregates as CSV. `kind` is `mean` (of one value per case), `figure` (of all cases together) or
    `difference` (of two predictions); `value` is that mean, figure or difference. NaN is an empty cell.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in document["summaries"]:
        writer.writerow(_cells({**row, "kind": "mean", "value": row["mean"]}))
    for row in document["figures"]:
        writer.writerow(_cells({**row, "kind": "figure"}))
    for row in document["tests"]:
        ps = {f"p_{name}": p for name, p in row["p"].items()}
        adjusted = {f"p_{name}_holm": p for name, p in row["holm"].items()}
        shown = {**row, **ps, **adjusted, "kind": "difference", "value": row["difference"], "missing": row["left_out"]}
        writer.writerow(_cells(shown))
    return text.getvalue().rstrip("\n")


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: "" if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}


def print_tables(document: Mapping[str, Any]) -> None:
    """Tables on stdout; what could not be scored on stderr."""
    console = stdout_console()
    several = len(document["methods"]) > 1
    first = ("method", "label") if several else ("label",)
    if document["summaries"]:
        console.print(_summary_table(document, first))
    if document["figures"]:
        console.print(_figure_table(document, first))
    if document["tests"]:
        console.print(_test_table(document))
    for method in document["methods"]:
        if "disagreement" in method:
            console.print(_judges_table(method["disagreement"], method["name"] if several else ""))
    for line in _rules(document):
        console.print(line, style="dim")


def problems(document: Mapping[str, Any]) -> list[str]:
    """What was left out or could not be scored, a line each."""
    lines = [f"warning: {note}" for note in document["warnings"]]
    for method in document["methods"]:
        name = method["name"]
        if method["missing"]:
            rule = {"skip": "left out", "worst": "scored as worst as can be"}[document["missing_rule"]]
            names = _listed(method["missing"])
            lines.append(f"warning: {name}: no prediction for {len(method['missing'])} case(s), {rule}: {names}")
        if method["failures"]:
            lines.append(f"error: {name}: {len(method['failures'])} of {method['cases']} case(s) could not be scored:")
            lines += [f"  {failure['case']}: {failure['reason']}" for failure in method["failures"]]
    return lines


def number(value: float | None) -> str:
    """Four significant digits, and never fewer than a reader of a ratio expects (0.8505, 12.34, 1234)."""
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == 0:
        return "0"
    size = abs(value)
    if size < 1e-4:
        return f"{value:.1e}"
    return f"{value:.4f}" if size < 10 else f"{value:.2f}" if size < 1000 else f"{value:.0f}"


def _summary_table(document: Mapping[str, Any], first: Sequence[str]) -> Any:
    clustered = any(summary["patients"] != summary["n"] for summary in document["summaries"])
    counted = ("n", "patients") if clustered else ("n",)
    table = plain_table((*first, "metric", *counted, "mean", "95 % interval", "median", "IQR"))
    odd = any(summary["missing"] for summary in document["summaries"])
    if odd:
        table.add_column("undefined", justify="right")
    for row in document["summaries"]:
        cells = [row[column] for column in first]
        cells += [
            _title(row),
            *(str(row[column]) for column in counted),
            number(row["mean"]),
            _interval(row),
            number(row["median"]),
        ]
        cells += [f"{number(row['q1'])} to {number(row['q3'])}"]
        table.add_row(*cells, *([str(row["missing"] or "")] if odd else []))
    return table


def _figure_table(document: Mapping[str, Any], first: Sequence[str]) -> Any:
    table = plain_table((*first, "over all cases", "n", "value", "95 % interval", "note"))
    for row in document["figures"]:
        cells = [row[column] for column in first]
        table.add_row(*cells, _title(row), str(row["n"]), number(row["value"]), _interval(row), row["note"])
    return table


def _test_table(document: Mapping[str, Any]) -> Any:
    names = [method["name"] for method in document["methods"]]
    tests = list(dict.fromkeys(name for row in document["tests"] for name in row["p"]))
    headings = [f"p {_TESTS[name]} (Holm)" for name in tests]
    table = plain_table(("label", "difference of", "n", f"{names[0]} - {names[1]}", "95 % interval", *headings))
    for row in document["tests"]:
        cells = [row["label"], _title(row), str(row["n"]), number(row["difference"]), _interval(row)]
        table.add_row(*cells, *(_p(row, name) for name in tests))
    return table


def _judges_table(disagreement: Mapping[str, Any], method: str) -> Any:
    """How far two judges agree on each kind of error of the same reports."""
    first, second = disagreement["first"], disagreement["second"]
    of = f" of {method}" if method else ""
    heading = f"error{of}, {first} and {second}"
    table = plain_table(
        (heading, "n", "equal counts", "kappa", f"mean of {first}", f"mean of {second}", "mean |difference|")
    )
    table.columns[0].justify = "left"
    for row in disagreement["categories"]:
        means = (row["agreement"], row["kappa"], row["first_mean"], row["second_mean"], row["mean_difference"])
        table.add_row(row["category"], str(row["n"]), *(number(value) for value in means))
    return table


def _p(row: Mapping[str, Any], test: str) -> str:
    if test not in row["p"] or math.isnan(row["p"][test]):
        return "-"
    return f"{probability(row['p'][test])} ({probability(row['holm'][test])})"


def probability(p: float) -> str:
    """A p value as papers print it."""
    if math.isnan(p):
        return "-"
    return "<0.0001" if p < 1e-4 else f"{p:.4f}"


def _rules(document: Mapping[str, Any]) -> list[str]:
    """What the figures stand on, for the foot of the tables."""
    lines = [document["interval"] + (" (of the mean)" if document["summaries"] else "")]
    if document["conventions"]:
        lines.append("; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in document["conventions"].items()))
    if document["tests"]:
        lines.append("tests are two-sided and by patient; Holm's correction goes over all lines with the same test")
    return lines


def stdout_console() -> Any:
    """Where tables go. Names of cases are no markup, and a pipe has no width for which rows must be folded."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 200, highlight=False, markup=False, emoji=False)


def plain_table(columns: Sequence[str]) -> Any:
    """A table without frame; words stand left, numbers right."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in columns:
        table.add_column(name, justify="left" if name in _WORDS else "right", overflow="fold")
    return table


def _title(row: Mapping[str, Any]) -> str:
    return f"{row['title']} ({row['unit']})" if row["unit"] else str(row["title"])


def _interval(row: Mapping[str, Any]) -> str:
    if row["low"] is None or math.isnan(row["low"]):
        return "-"
    return f"{number(row['low'])} to {number(row['high'])}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    return value
