"""System 77: all of its proof holds but the step of the ladder that the score's own definition contradicts."""

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
def test_proof_holds_but_for_the_last_step_of_the_ladder(tmp_path: Path) -> None:
    proof = prove(tmp_path, None)
    failed = [claim.name for claim in proof.claims if not claim.passed]
    assert len(failed) == 1
    assert "to deletion" in failed[0]
    assert (tmp_path / "timeline.csv").read_text(encoding="utf-8").startswith("study_id,")
