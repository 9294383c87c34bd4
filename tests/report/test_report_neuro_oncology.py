"""The tumour form reads back from CSV, text and JSON; the sentences read back to their statements."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np
import pytest

from groundglass.core import InputError
from groundglass.report import conflicts, shipped_templates
from groundglass.report import neuro_oncology as form
from groundglass.systems.s66_raidionics import _random_findings


def test_form_is_the_same_in_all_three_writings() -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        made = form.brain_tumour_form(_random_findings(rng))
        assert len(made) > 8
        assert form.from_csv(form.to_csv(made)) == made
        assert form.from_text(form.to_text(made)) == made
        assert form.from_json(form.to_json(made)) == made
        assert json.loads(form.to_json(made))["side"] in ("left", "right")


def test_a_form_without_a_tumour_is_empty() -> None:
    assert form.brain_tumour_form(()) == ()
    assert form.from_csv("") == form.from_text("") == ()


@pytest.mark.parametrize("text", ["volume [mL]\n", "a,b\n1\n", "tumour volume [mL]\nmuch\n"])
def test_a_broken_form_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        form.from_csv(text)
    with pytest.raises(InputError):
        form.from_json("[1, 2]")
    with pytest.raises(InputError):
        form.from_text("no value here\n")


def test_every_sentence_of_the_tumour_table_reads_back() -> None:
    table = json.loads((resources.files("groundglass.report") / "data" / "brain_tumour.json").read_text())
    assert conflicts(shipped_templates(), keys=[row["key"] for row in table["templates"]]) == []
