"""Findings that a person adds: their numbers, their files, and their entry in the review."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from groundglass.app.serve import models
from groundglass.app.serve.desk import Desk
from groundglass.app.serve.findings import row_of, shown
from groundglass.app.serve.places import save_finding
from groundglass.app.serve.reading import Opened
from groundglass.app.serve.review import load_review, save_review
from groundglass.app.serve.worker import Tell
from groundglass.core import Evidence, Finding, Line, Location
from groundglass.core.mask_name import mask_name


async def keep_drawn(
    desk: Desk, study_id: str, sentence: str | None, write: Callable[[str, Path], Awaitable[Any]]
) -> models.Finding:
    """Number a new finding, have `write` write it and give its row, and enter it into the review."""
    place = desk.store.folder(study_id)
    state = load_review(place)
    finding_id = f"u{state.next_drawn}"
    state.next_drawn += 1
    save_review(place, state)  # a number is never given twice, even if writing fails
    row = await write(finding_id, place.drawn / f"{finding_id}.json")
    state = load_review(place)
    state.drawn[finding_id] = row
    state.findings[finding_id] = {"verdict": "accepted", "sentence": sentence or None}
    save_review(place, state)
    return shown(study_id, row_of(desk, study_id, finding_id), state)


def point_finding(
    _tell: Tell, opened: Opened, image_id: str, term: str, point: tuple[float, ...], finding_id: str, target: Path
) -> dict[str, Any]:
    """Write a finding at a point. Raises ConfigurationError for a word that is no term."""
    named = mask_name(term)
    name = opened.names[opened.ids.index(image_id)]
    where = Location(anatomy=named.organ, side=named.side, points=(Line((point,)),), image=name)
    finding = Finding(finding_id, named.term, where=where, evidence=(Evidence("person", "reviewer"),))
    return save_finding(finding, opened.study(), opened.ids, target)
