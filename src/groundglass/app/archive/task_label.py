"""The task `label`: labels of text reports (1 present, 0 absent, -1 uncertain, empty where nothing speaks of it)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from groundglass.app.archive.study import StudyRef
from groundglass.app.label.run import chosen_sets, values_only
from groundglass.app.label.sources import Source
from groundglass.core import InputError


def run(study: StudyRef, _folder: Path, options: dict[str, Any]) -> dict[str, Any]:
    """The row of a report. Raises InputError for a file that holds no text."""
    source = Source(study.source, file=Path(study.paths[0]))
    sets = chosen_sets(options.get("sets", "chexpert14"))
    (labelled,) = values_only([source], sets=sets, uncertain=None, language=options.get("language", "en"))
    if labelled.problem:
        raise InputError(study.source, f"cannot be labelled ({labelled.problem})", "Pass a text report.")
    return dict(labelled.values)
