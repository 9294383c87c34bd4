"""The count of agreements with NegBio's patterns, and what is set aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundglass.systems import negbio_peer
from groundglass.text.mining import PlantedSentence

SENTENCES = (
    PlantedSentence("Mass is not seen, but there is nodule.", {"Mass": "A", "Nodule": "P"}, False),
    PlantedSentence("No new mass is seen, and the previously noted nodule is unchanged.", {"Mass": "A"}, True),
    PlantedSentence("Possible pneumonia.", {"Pneumonia": "U"}, False),
    PlantedSentence("There is no mass, nodule, or pneumonia.", {"Mass": "A", "Nodule": "A", "Pneumonia": "A"}, True),
)


def test_agreement_is_counted_per_finding_and_unknown_ways_of_denying_are_set_aside(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    theirs = [["Mass", "Nodule"], ["Mass"], [], ["Pneumonia"]]
    monkeypatch.setenv("GROUNDGLASS_NEGBIO_PYTHON", "named")
    monkeypatch.setattr(negbio_peer, "asked", lambda python, program, given, workdir: theirs)
    ours = {SENTENCES[0].text: {"Nodule"}}
    claim = negbio_peer.pattern_agreement(tmp_path, SENTENCES, lambda text: ours.get(text, set()))
    assert claim.measured == pytest.approx(3 / 4)
    assert claim.detail["findings"] == 4
    assert claim.detail["rules right"] == 1
    assert claim.detail["NegBio's patterns right"] == pytest.approx(3 / 4)
    assert claim.detail["all sentences: findings"] == 7
    assert claim.detail["all sentences: agreement"] == pytest.approx(4 / 7)
    assert claim.detail["findings set aside: is not seen"] == 2
    assert claim.detail["findings set aside: no new"] == 1
    assert claim.low is not None and claim.high is not None and claim.low < claim.measured < claim.high


def test_without_an_interpreter_the_row_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GROUNDGLASS_NEGBIO_PYTHON", raising=False)
    row = negbio_peer.pattern_agreement(tmp_path, SENTENCES, lambda text: set())
    assert not row.passed
    assert "not run" in row.required
