"""Reports by the findings that they state, read by rules: graph F1 (as RadGraph's) and LunguageScore."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial

from groundglass.app.compare.batch import Failure, run_all
from groundglass.app.compare.report_texts import ReportPairs
from groundglass.app.compare.settings import Settings
from groundglass.metrics.reports.graph import graph_f1, report_graph
from groundglass.metrics.reports.lunguage import lunguage_score
from groundglass.metrics.reports.lunguage_rows import lunguage_rows
from groundglass.metrics.reports.statement import Statement, statements_of
from groundglass.metrics.statistics import Row

STATED = ("graph_entity_f1", "graph_relation_f1", "graph_f1", "lunguage_f1")


def stated_scores(pairs: ReportPairs, metrics: Sequence[str], settings: Settings) -> tuple[list[Row], dict[str, str]]:
    """Rows of each report, and those that broke the reader with the reason."""
    asked = tuple(metric for metric in metrics if metric in STATED)
    if not asked:
        return [], {}
    texts = [(a.text, b.text) for a, b in zip(pairs.candidates, pairs.references, strict=True)]
    answers = run_all(partial(_scores, asked), texts, processes=settings.processes, title="reading")
    rows: list[Row] = []
    failures: dict[str, str] = {}
    for case, patient, answer in zip(pairs.cases, pairs.patients, answers, strict=True):
        if isinstance(answer, Failure):
            failures[case] = answer.reason
        else:
            rows += [Row(case, patient, "findings", metric, value) for metric, value in answer.items()]
    return rows, failures


def _scores(metrics: Sequence[str], texts: tuple[str, str]) -> dict[str, float]:
    """A missing report (empty text) states nothing and scores 0 against one that does."""
    candidate, reference = (_statements(text) for text in texts)
    graph = graph_f1(report_graph(candidate), report_graph(reference))
    values = {"graph_entity_f1": graph.entity, "graph_relation_f1": graph.relation, "graph_f1": graph.combined}
    if "lunguage_f1" in metrics:
        values["lunguage_f1"] = lunguage_score(lunguage_rows(candidate), lunguage_rows(reference)).f1
    return {metric: values[metric] for metric in metrics}


@lru_cache(maxsize=4096)
def _statements(text: str) -> tuple[Statement, ...]:
    from groundglass.text import read_findings

    return statements_of(read_findings(text)) if text else ()
