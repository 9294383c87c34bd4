"""What a reviewer says of findings, kept beside the study: verdicts, sentences, and findings of the reviewer's own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from groundglass.app.serve.models import Verdict
from groundglass.app.serve.store import StudyFolder
from groundglass.io.atomic import write_json_atomic


@dataclass
class ReviewState:
    """`findings` maps a finding's id to {verdict, sentence}; `next_drawn` numbers the reviewer's own findings."""

    revision: int = 0
    findings: dict[str, dict[str, Any]] = field(default_factory=dict)
    next_drawn: int = 1
    drawn: dict[str, dict[str, Any]] = field(default_factory=dict)

    def verdict(self, finding_id: str) -> Verdict:
        """Open where nothing was said; what the reviewer drew counts as accepted."""
        default: Verdict = "accepted" if finding_id in self.drawn else "open"
        return self.findings.get(finding_id, {}).get("verdict") or default

    def sentence(self, finding_id: str) -> str | None:
        """The reviewer's wording, if there is one."""
        return self.findings.get(finding_id, {}).get("sentence")


def load_review(place: StudyFolder) -> ReviewState:
    """The review of a study; empty where nothing was said yet."""
    try:
        held = json.loads(place.review.read_text(encoding="utf-8"))
        return ReviewState(int(held["revision"]), dict(held["findings"]), int(held["next_drawn"]), dict(held["drawn"]))
    except FileNotFoundError:
        return ReviewState()


def save_review(place: StudyFolder, state: ReviewState) -> None:
    """Write the review, one revision on, whole or not at all."""
    state.revision += 1
    write_json_atomic(place.review, vars(state))
