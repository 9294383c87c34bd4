"""The task `info`: what the headers of a study say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from groundglass.app.archive.study import StudyRef
from groundglass.app.outputs import image_facts
from groundglass.io import read_study

_KEPT = ("name", "modality", "body_part", "shape", "channels", "spacing_mm", "units", "date")


def run(study: StudyRef, _folder: Path, _options: dict[str, Any]) -> dict[str, Any]:
    """The row of a study. Raises what `read_study` raises."""
    found = read_study(study.paths)
    facts = [image_facts(image) for image in found.images]
    warnings = [*found.warnings, *(warning for fact in facts for warning in fact["warnings"])]
    return {
        "images": [{name: fact[name] for name in _KEPT} for fact in facts],
        "warnings": list(dict.fromkeys(warnings)),
    }
