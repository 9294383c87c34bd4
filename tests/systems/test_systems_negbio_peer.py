"""The count of agreements with NegBio's patterns, and what the disagreements are put down to."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundglass.systems.negbio_peer import _agreement, pattern_agreement
from groundglass.text.mining import PlantedSentence

SENTENCES = (
    PlantedSentence("Mass is not seen, but there is nodule.", {"Mass": "A", "Nodule": "P"}, False),
    PlantedSentence("No new mass is seen, and the previously noted nodule is unchanged.", {"Mass": "A"}, True),
    PlantedSentence("Possible pneumonia.", {"Pneumonia": "U"}, False),
    PlantedSentence("There is no mass, nodule, or pneumonia.", {"Mass": "A", "Nodule": "A", "Pneumonia": "A"}, True),
)


def test_agreement_is_counted_per_finding_and_its_lack_by_kind() -> None:
    theirs = {s.text: [] for s in SENTENCES} | {
        SENTENCES[0].text: ["Mass", "Nodule"],
        SENTENCES[1].text: ["Mass"],
        SENTENCES[3].text: ["Pneumonia"],
    }
    ours = {SENTENCES[0].text: {"Nodule"}}
    claim = _agreement("agreement", SENTENCES, lambda text: ours.get(text, set()), theirs)
    assert claim.measured == pytest.approx(4 / 7)
    assert claim.detail["findings"] == 7
    assert claim.detail["rules right"] == 1
    assert claim.detail["NegBio's patterns right"] == pytest.approx(4 / 7)
    apart = {name.split(": ", 1)[1].split(":")[0]: n for name, n in claim.detail.items() if name.startswith("apart")}
    assert apart == {"not seen": 1, "no new": 1, "a list or a long phrase that spaCy parsed otherwise": 1}
    assert claim.low is not None and claim.high is not None and claim.low < claim.measured < claim.high


def test_without_an_interpreter_both_rows_say_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GROUNDGLASS_NEGBIO_PYTHON", raising=False)
    rows = pattern_agreement(tmp_path, SENTENCES, lambda text: set())
    assert [row.passed for row in rows] == [False, False]
    assert all("not run" in row.required for row in rows)
