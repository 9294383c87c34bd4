"""System 72: its proof holds for what is built, and the rule reader stands where a model would."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from groundglass.systems.form_claims import batch_claims, batch_trial, scored
from groundglass.systems.s72_structured_notes import prove, rule_reader
from groundglass.text import structured
from groundglass.text.structured import Answer, Form
from groundglass.text.structured.paraphrased import ITEMS, TEXTS, paraphrased_report
from groundglass.text.structured.planted import PlantedReport


def test_the_rule_reader_answers_a_prompt() -> None:
    read = rule_reader(structured.template("lymphoma-ct"), "en")
    assert read("question: How large is the spleen? context: Splenomegaly.") == "enlarged"
    assert read("question: How large is the liver? context: Splenomegaly.") == "not reported"


def test_what_batches_claim_is_counted_over_filled_items() -> None:
    whole = structured.template("lymphoma-ct")
    template = structured.Template("in small", whole.title, tuple(item for item in whole if item.id in ITEMS))
    rng = np.random.default_rng(3)
    long_ones, short_ones = ([paraphrased_report(rng, half="first", fillers=n) for _ in range(4)] for n in (20, 0))

    def right(report: PlantedReport) -> Form:
        return Form(template, {name: Answer(value, status="filled") for name, value in report.values.items()})

    def cut(report: PlantedReport) -> Form:
        return Form(template, {}) if report in long_ones else right(report)

    trial = batch_trial(template, long_ones, short_ones, right, cut, texts=True)
    gain, change = batch_claims("reader", 32, trial)
    assert (gain.measured, gain.baseline, gain.passed) == (1, 0, True)
    assert (change.measured, change.passed) == (0, True)
    assert gain.detail["false fills, batches"] == 0
    assert gain.detail["answers"] == 4 * len(ITEMS)
    without_texts = scored(template, long_ones, right)
    assert without_texts.all.answers == 4 * (len(ITEMS) - len(TEXTS))


@pytest.mark.slow
def test_proof_holds_for_what_is_built(tmp_path: Path) -> None:
    proof = prove(tmp_path, None)
    failed = [claim.name for claim in proof.claims if not claim.passed]
    # The small model's own figures are recorded, not asserted: they hang on the machine's arithmetic.
    assert not [name for name in failed if not name.startswith("model")]
    response = json.loads((tmp_path / "questionnaire_response.json").read_text(encoding="utf-8"))
    assert response["resourceType"] == "QuestionnaireResponse"
