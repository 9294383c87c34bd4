"""System 74: its exact rows hold, and its red row says what is not built."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from groundglass.systems.s74_biovil import _exactness, _pairs, prove


def test_the_rows_without_training_hold() -> None:
    for claim in (*_exactness(np.random.default_rng(1)), *_pairs()):
        assert claim.passed, claim.name


@pytest.mark.slow
def test_proof_holds_for_what_is_built(tmp_path: Path) -> None:
    failed = [claim.name for claim in prove(tmp_path, None).claims if not claim.passed]
    assert failed == ["checks of the card that are run in full"]
