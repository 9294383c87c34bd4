"""Reports against reference reports: what is true, complete and rightly placed, and which errors a reader would count.

    from groundglass.metrics.reports import RuleJudge, count_errors, green_score, radfact_of_reports
    from groundglass.text import read_findings
    judge = RuleJudge(read_findings, "groundglass.text")
    radfact_of_reports(candidate, reference, judge).score.logical_f1
    count_errors(candidate, reference, judge).score        # significant errors, lower is better
    green_score(candidate, reference, judge).value

Any `groundglass.metrics.judge.Judge` may stand for the rule judge. Grounded phrases, with boxes, are judged by
`groundglass.metrics.reports.radfact.radfact`.
"""

from __future__ import annotations

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "Alignment": "report_errors",
    "BoxOverlap": "box_overlap",
    "CHEXPERT_5": "label_f1",
    "CHEXPERT_14": "label_f1",
    "CharacterEncoder": "sentence_encoder",
    "ClinicalF1": "label_f1",
    "ErrorCounts": "error_counts",
    "ErrorSummary": "error_counts",
    "ExactEncoder": "sentence_encoder",
    "GraphF1": "graph",
    "GreenScore": "green",
    "GreenSummary": "green",
    "LinearComposite": "composite",
    "LunguageRow": "lunguage",
    "LunguageScore": "lunguage",
    "RADCLIQ_V1": "composite",
    "RadFactResult": "radfact",
    "RadFactScore": "radfact",
    "ReportGraph": "graph",
    "RuleJudge": "rule_judge",
    "Statement": "statement",
    "align": "report_errors",
    "clinical_f1": "label_f1",
    "count_all_errors": "error_counts",
    "count_errors": "error_counts",
    "exact_overlap": "box_overlap",
    "graph_f1": "graph",
    "judge_service": "service",
    "green_all": "green",
    "green_of": "green",
    "green_score": "green",
    "green_value": "green",
    "grid_overlap": "box_overlap",
    "lunguage_score": "lunguage",
    "lunguage_sequence_score": "lunguage",
    "mean_radfact": "radfact",
    "radfact_of_reports": "radfact",
    "report_graph": "graph",
    "report_metrics": "metric_table",
    "stated_f1": "metric_table",
    "statements_of": "statement",
    "summarise_errors": "error_counts",
    "summarise_green": "green",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
