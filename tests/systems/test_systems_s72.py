"""System 72: its proof holds for what is built, and the rule reader stands where a model would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from groundglass.systems.s72_structured_notes import prove, rule_reader
from groundglass.text import structured


def test_the_rule_reader_answers_a_prompt() -> None:
    read = rule_reader(structured.template("lymphoma-ct"), "en")
    assert read("question: How large is the spleen? context: Splenomegaly.") == "enlarged"
    assert read("question: How large is the liver? context: Splenomegaly.") == "not reported"


@pytest.mark.slow
def test_proof_holds_for_what_is_built(tmp_path: Path) -> None:
    proof = prove(tmp_path, None)
    failed = [claim.name for claim in proof.claims if not claim.passed]
    # The small model's own figures are recorded, not asserted: they hang on the machine's arithmetic.
    assert not [name for name in failed if not name.startswith("model")]
    response = json.loads((tmp_path / "questionnaire_response.json").read_text(encoding="utf-8"))
    assert response["resourceType"] == "QuestionnaireResponse"
