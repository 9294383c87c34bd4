"""System 67: its proof holds, and the independent cardiothoracic rule in it is what it says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from groundglass.systems.s67_chexstruct import diaphragm_rule_ratio, prove


def test_diaphragm_rule_by_hand():
    """Midline at column 9, heart from 6 to 15, widest lung row from 0 to 20: (3 + 6) / 20."""
    masks = {name: np.zeros((4, 21), bool) for name in ("right hemidiaphragm", "heart", "right lung", "left lung")}
    masks["right hemidiaphragm"][3, 2:10] = True
    masks["heart"][1, 6:16] = True
    masks["right lung"][1:3, 0:5] = True
    masks["left lung"][1, 15:19] = True
    masks["left lung"][2, 15:21] = True
    assert diaphragm_rule_ratio(masks) == pytest.approx(9 / 20)


@pytest.mark.slow
def test_proof_holds(tmp_path):
    proof = prove(tmp_path, None)
    assert [claim.name for claim in proof.claims if not claim.passed] == []
    items = [json.loads(line) for line in (tmp_path / "exam.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {"question", "options", "answer", "img_path", "stage"} <= set(items[0])
