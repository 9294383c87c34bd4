"""A study beside an earlier one: which findings are the same, and how they changed."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any

from groundglass.app.serve.reading import Opened, read_findings_of
from groundglass.app.serve.review import load_review
from groundglass.app.serve.worker import Tell
from groundglass.core import Finding
from groundglass.report.comparison import changes


def compare(_tell: Tell, now: Opened, prior: Opened) -> list[dict[str, Any]]:
    """Rows of {now, prior, status, changes} by finding ids; rejected findings are left out.

    Findings are the same when term, place and side agree and each study has exactly one such finding: which of three
    lesions is which cannot be told from names.
    """
    present, before = _standing(now), _standing(prior)
    rows, taken = [], set()
    for finding in present:
        twins = [f for f in before if _identity(f) == _identity(finding)]
        is_one = len(twins) == 1 and sum(_identity(f) == _identity(finding) for f in present) == 1
        twin = twins[0] if is_one else None
        if twin is not None:
            taken.add(twin.id)
        rows.append(_row(finding, twin))
    rows += [_row(None, finding) for finding in before if finding.id not in taken]
    return rows


def _standing(opened: Opened) -> list[Finding]:
    review = load_review(opened.place)
    return [f for f in read_findings_of(opened.place) if review.verdict(f.id) != "rejected"]


def _identity(finding: Finding) -> Hashable:
    where = finding.where
    return finding.what, where.anatomy, where.side


def _row(now: Finding | None, prior: Finding | None) -> dict[str, Any]:
    both: Sequence[Any] = changes(now, prior) if now is not None and prior is not None else ()
    return {
        "now": now.id if now is not None else None,
        "prior": prior.id if prior is not None else None,
        "status": _status(now, prior),
        "changes": [
            {
                "kind": change.now.kind.name,
                "unit": change.now.unit,
                "before": float(change.before),
                "now": float(change.now.value),
                "percent": round(change.percent, 4) if math.isfinite(change.percent) else None,
                "direction": change.direction,
            }
            for change in both
            if math.isfinite(change.before) and math.isfinite(change.now.value)
        ],
    }


def _status(now: Finding | None, prior: Finding | None) -> str:
    if now is None or prior is None:
        return "only prior" if now is None else "only now"
    told = {("absent", "present"): "new", ("present", "absent"): "resolved"}
    return told.get((prior.status, now.status), now.status)
