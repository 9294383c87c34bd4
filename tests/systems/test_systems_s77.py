"""System 77: its proof holds; the ladder's last step, which the score's own formula contradicts, is a figure only."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundglass.systems.s77_lunguage import prove, score_rows
from groundglass.text.timeline import DatedReport, patient_timeline


def test_rows_become_rows_of_the_score() -> None:
    made = patient_timeline([DatedReport("s", "2024-01-01", "Probable small left PTX.")])
    (row,) = score_rows(made.rows)
    assert (row.entity, row.group, row.sequence, row.episode) == ("pneumothorax", "left pneumothorax", 1, 1)
    assert row.relations == {
        "dx_status": "positive",
        "dx_certainty": "tentative",
        "location": "left",
        "severity": "small",
    }


@pytest.mark.slow
def test_proof_holds(tmp_path: Path) -> None:
    proof = prove(tmp_path, None)
    failed = [claim for claim in proof.claims if not claim.passed]
    assert all("GROUNDGLASS_LUNGUAGE_PYTHON is not set" in claim.required for claim in failed)
    (ladder,) = [claim for claim in proof.claims if "severity and side to polarity" in claim.name]
    assert float(ladder.detail["mean deletion"]) > float(ladder.detail["mean polarity"])
    assert (tmp_path / "timeline.csv").read_text(encoding="utf-8").startswith("study_id,")
