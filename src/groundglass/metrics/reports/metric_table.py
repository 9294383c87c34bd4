"""The report metrics of one judge as plain functions of candidate and reference: for tables, and to test metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from groundglass.metrics.reports.error_counts import count_errors
from groundglass.metrics.reports.graph import graph_f1, report_graph
from groundglass.metrics.reports.green import green_score
from groundglass.metrics.reports.label_f1 import clinical_f1
from groundglass.metrics.reports.lunguage import lunguage_score
from groundglass.metrics.reports.lunguage_rows import lunguage_rows
from groundglass.metrics.reports.radfact import radfact_of_reports
from groundglass.metrics.reports.rule_judge import RuleJudge

Metric = Callable[[str, str], float]


def report_metrics(judge: RuleJudge) -> dict[str, Metric]:
    """By name; all are better when higher (CheXprompt's significant errors are negated), the others lie in [0, 1]."""

    def graph(candidate: str, reference: str) -> float:
        said, truth = (report_graph(judge.statements(text)) for text in (candidate, reference))
        return graph_f1(said, truth).complete

    def lunguage(candidate: str, reference: str) -> float:
        said, truth = (lunguage_rows(judge.statements(text)) for text in (candidate, reference))
        return lunguage_score(said, truth).f1

    return {
        "RadFact logical F1": lambda c, r: radfact_of_reports(c, r, judge).score.logical_f1,
        "CheXprompt (negated)": lambda c, r: -float(count_errors(c, r, judge).score),
        "GREEN": lambda c, r: green_score(c, r, judge).value,
        "graph F1": graph,
        "LunguageScore": lunguage,
    }


def stated_f1(judge: RuleJudge, labels: Sequence[str]) -> Metric:
    """Micro F1 over whether concepts (by their names in the ontology) are stated as present: blind to all detail."""

    def metric(candidate: str, reference: str) -> float:
        tables = []
        for text in (candidate, reference):
            present = {statement.what.name for statement in judge.statements(text) if statement.present}
            tables.append({"report": {label: float(label in present) for label in labels}})
        return clinical_f1(tables[0], tables[1], labels=labels).micro.f1

    return metric
