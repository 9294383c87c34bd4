"""One patient's reports over time, in the schema of Lunguage (arXiv 2505.21190): rows, entity groups, episodes.

    from groundglass.text import timeline
    patient = timeline.patient_timeline(timeline.read_folder(Path("patient-17")))
    for line in timeline.course(patient): print(line.group, line.states)
    timeline.to_csv(patient)                            # one row per statement, as the data set is released
    timeline.to_dict(patient)                           # studies, rows, groups, course

A row is one statement of one report: entity, status (positive or negative, definitive or tentative), attributes. An
entity group is the same thing under different words; an episode is one course of it. All of it is by rules.
"""

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "CourseLine": "changes",
    "DatedReport": "studies",
    "PatientTimeline": "patient",
    "RELATIONS": "rows",
    "Row": "rows",
    "State": "changes",
    "Study": "rows",
    "course": "changes",
    "patient_timeline": "patient",
    "read_folder": "studies",
    "rows_of": "rows",
    "to_csv": "document",
    "to_dict": "document",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
