"""Reports whose errors are known: to test what a judge or a metric sees before its figures are believed."""

from groundglass.metrics.reports.planted.errors import PlantedPair, most_errors, plant
from groundglass.metrics.reports.planted.plan import PlannedFinding, ReportPlan, random_plan
from groundglass.metrics.reports.planted.verbalise import verbalise

__all__ = ["PlannedFinding", "PlantedPair", "ReportPlan", "most_errors", "plant", "random_plan", "verbalise"]
