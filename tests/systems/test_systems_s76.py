"""System 76: its proof holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from groundglass.systems.s76_chest_imagenome import prove


@pytest.mark.slow
def test_proof_holds(tmp_path: Path) -> None:
    proof = prove(tmp_path, None)
    assert [claim.name for claim in proof.claims if not claim.passed] == []
    assert json.loads((tmp_path / "scene_graph.json").read_text(encoding="utf-8"))["attributes"]
