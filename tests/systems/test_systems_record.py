"""Records of proofs: complete, rounded, stale when code changes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from groundglass.core import ConfigurationError
from groundglass.systems import Claim, Proof, system, systems
from groundglass.systems.record import is_stale, read_record, record_of, substance, write_record

PROOF = Proof(
    67,
    (Claim("ratio", np.float64(0.123456789), "<= 0.2", np.bool_(True), detail={"n": np.int64(3)}),),
    seeds=(0,),
    data=("procedural",),
)


def test_round_trip_and_staleness(tmp_path: Path) -> None:
    record = record_of(PROOF, seconds=1.234)
    write_record(record, tmp_path)
    held = read_record(67, tmp_path)
    assert held == json.loads(json.dumps(record))
    assert held["claims"][0]["measured"] == 0.123457
    assert held["claims"][0]["detail"] == {"n": 3}
    assert "systems/record.py" in held["code"]
    assert not is_stale(held)
    held["code"]["systems/record.py"] = "0" * 16
    assert is_stale(held)
    held["code"] = {"systems/no_such_file.py": "0" * 16}
    assert is_stale(held)


SOURCE = '''"""A room."""
_EXPORTS = {
    "one": "here",
}


class Kept:
    """What it is."""

    text = "# no comment"  # a comment

    def value(self) -> int:
        """Two
        lines."""
        # why
        return 1
'''


def test_words_alone_make_no_record_stale() -> None:
    same = SOURCE.replace("A room", "A hall").replace("why", "because").replace("lines", "rows")
    same = same.replace('"one": "here"', '"one": "here", "two": "there"').replace("return 1", "return 1  # one")
    assert substance(same) == substance(SOURCE)
    for old, new in (("return 1", "return 2"), ("# no comment", "# none"), ("Kept", "Left"), ("value", "figure")):
        assert substance(SOURCE.replace(old, new)) != substance(SOURCE)
    assert "_EXPORTS" not in substance(SOURCE)
    assert 'return "no docstring"' in substance('def f():\n    return "no docstring"\n')


def test_no_claim_is_no_pass() -> None:
    assert not Proof(1, ()).passed
    assert not Proof(1, (Claim("a", 1, "= 1", True), Claim("b", 0, "= 1", False))).passed


def test_unknown_number() -> None:
    with pytest.raises(ConfigurationError, match="not the number of a system"):
        system(95)


def test_every_built_system_has_an_entry_and_a_record_that_is_not_failed() -> None:
    folder = Path(__file__).parents[2] / "proofs"
    for built in (s for s in systems() if s.is_built):
        assert built.entry, f"{built.module} has no ENTRY"
        record = read_record(built.number, folder)
        assert record is not None, f"system {built.number} was never proved"
        assert record["claims"]
