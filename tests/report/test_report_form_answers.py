"""A small T5 learns a form's answers with negative batches, fills a form through `ask`, and survives its folder."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from groundglass.core import ConfigurationError
from groundglass.report.generation.form_answers import load_answer_model, tiny_answer_model, train_answer_model
from groundglass.text import structured

CHEST = structured.template("chest-xray")
TEMPLATE = structured.Template("one question", "One question", (CHEST["effusion"],))


def test_it_learns_the_answer_and_the_batch_without_it(tmp_path: Path) -> None:
    head = f"question: {TEMPLATE['effusion'].asked('en')} context: "
    samples = [(f"{head}Effusion.", "present"), (f"{head}Clear.", structured.NOT_REPORTED)]
    model = tiny_answer_model(width=32, layers=1, seed=1)
    train_answer_model(model, samples, folder=tmp_path / "run", steps=300, batch=2, learning_rate=5e-3, seed=1)
    answer, p = model(samples[0][0])
    assert answer == "present" and p > 0.5
    assert model(samples[1][0])[0] == structured.NOT_REPORTED

    model.save(tmp_path / "saved")
    again = load_answer_model(tmp_path / "saved")
    assert again(samples[0][0])[0] == answer
    assert again(samples[0][0])[1] == pytest.approx(p, rel=1e-4)

    asked = []

    def heard(prompt: str) -> tuple[str, float]:
        asked.append(prompt)
        return model(prompt)

    limit = model.count(head) + 12
    form = structured.ask(TEMPLATE, "Clear.\n\nEffusion.", heard, limit=limit, count=model.count)
    assert len(asked) == 2  # two batches, both asked, one answer left
    assert form["effusion"].value == "present"
    assert form["effusion"].status == "filled"


def test_probability_is_that_of_the_whole_answer() -> None:
    _, p = tiny_answer_model(width=16, layers=1)("anything")
    assert 0 <= p <= 1 and not math.isnan(p)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no model"):
        load_answer_model(tmp_path)
