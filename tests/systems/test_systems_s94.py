"""System 94: the checks that need no trained network hold, the others are recorded as failing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from groundglass.systems import s94_deepgrow
from groundglass.systems.s94_deepgrow import _chance, prove


def test_proof_holds_for_what_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s94_deepgrow, "DRAWS", 4000)
    proof = prove(tmp_path, None)
    failed = [claim.name for claim in proof.claims if not claim.passed]
    assert [name[-9:] for name in failed] == ["(check 2)", "(check 3)", "(check 4)"]
    undo = proof.claims[-1]
    assert undo.detail["different masks"] >= 3


def test_the_chi_square_tells_another_distribution() -> None:
    rng, expected = np.random.default_rng(0), np.full(50, 400.0)
    even, skewed = rng.multinomial(20_000, np.full(50, 0.02)), rng.multinomial(20_000, np.linspace(1, 2, 50) / 75)
    assert _chance([even.astype(float)], expected) > 0.01
    assert _chance([skewed.astype(float)], expected) < 1e-6
    assert _chance([even.astype(float), skewed.astype(float)], expected) < 1e-6
