"""The rule judge with the package's reader on sentence pairs written by hand (see data/README.md)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from groundglass.metrics.judge import Phrase
from groundglass.metrics.reports import RuleJudge
from groundglass.text import read_findings

_FILE = Path(__file__).parent / "data" / "entailment_pairs.jsonl"


@pytest.fixture(scope="module")
def pairs() -> list[dict[str, Any]]:
    return [json.loads(line) for line in _FILE.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def right(pairs: list[dict[str, Any]]) -> dict[str, bool]:
    """By pair, whether entailed or not was told rightly."""
    judge = RuleJudge(read_findings, "groundglass.text")
    return {
        pair["id"]: judge.entails(Phrase(pair["hypothesis"]), [Phrase(p) for p in pair["premises"]]).entailed
        == (pair["label"] == "entailment")
        for pair in pairs
    }


def test_the_pairs_are_as_many_and_as_hard_as_they_should_be(pairs: list[dict[str, Any]]) -> None:
    assert len(pairs) >= 400
    assert len({(tuple(p["premises"]), p["hypothesis"]) for p in pairs}) == len(pairs)
    assert sum(p["adversarial"] for p in pairs) >= len(pairs) / 3
    kinds = Counter(p["kind"] for p in pairs)
    assert {"negation", "side", "size", "severity", "change", "paraphrase", "omission"} <= set(kinds)
    assert min(Counter(p["label"] for p in pairs).values()) > 100


def test_entailment_is_told_in_nineteen_of_twenty(pairs: list[dict[str, Any]], right: dict[str, bool]) -> None:
    wrong = defaultdict(list)
    for pair in pairs:
        if not right[pair["id"]]:
            wrong[pair["kind"]].append(pair["id"])
    assert sum(right.values()) / len(right) >= 0.95, dict(wrong)


def test_adversarial_pairs_and_those_never_looked_at_do_not_fall_far_behind(
    pairs: list[dict[str, Any]], right: dict[str, bool]
) -> None:
    for name, members in (
        ("adversarial", [p["id"] for p in pairs if p["adversarial"]]),
        ("held", [p["id"] for p in pairs if p["part"] == "held"]),
    ):
        assert sum(right[each] for each in members) / len(members) >= 0.92, name
