"""Reports whose errors are known: to test what a judge or a metric sees before its figures are believed."""

from groundglass.metrics.reports.planted.errors import PlantedPair, most_errors, plant
from groundglass.metrics.reports.planted.ladder import ladder, mixed, only, plans_with_room
from groundglass.metrics.reports.planted.plan import PlannedFinding, ReportPlan, random_plan
from groundglass.metrics.reports.planted.verbalise import denial_sentence, finding_sentence, verbalise

__all__ = [
    "PlannedFinding",
    "PlantedPair",
    "ReportPlan",
    "denial_sentence",
    "finding_sentence",
    "ladder",
    "mixed",
    "most_errors",
    "only",
    "plans_with_room",
    "plant",
    "random_plan",
    "verbalise",
]
