"""System 76: its proof holds for what is built."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from groundglass.systems.s76_chest_imagenome import prove


@pytest.mark.slow
def test_proof_holds_for_what_is_built(tmp_path: Path) -> None:
    proof = prove(tmp_path, None)
    failed = [claim.name for claim in proof.claims if not claim.passed]
    assert failed == ["checks of the card that are run in full"]
    assert json.loads((tmp_path / "scene_graph.json").read_text(encoding="utf-8"))["attributes"]
