"""Long reports in batches, the algebra of their answers, and forms to FHIR and back."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundglass.core import ConfigurationError, InputError
from groundglass.text import structured
from groundglass.text.structured import Answer, Form
from groundglass.text.structured.cutting import whole_sentences, words
from groundglass.text.structured.random_forms import random_answer, random_form

QUESTION = "question: How large is the spleen? context:"


def test_a_thousand_forms_survive_fhir_and_json() -> None:
    rng = np.random.default_rng(72)
    every = [structured.template(name) for name in structured.templates()]
    for number in range(1000):
        template = every[number % len(every)]
        form = random_form(template, rng)
        assert structured.from_response(structured.to_response(form), template) == form
        assert structured.from_dict(structured.to_dict(form), template) == form
        for item, answer in form:
            if item.parent is not None and answer.value:
                assert set(form[item.parent].value.split("; ")) & set(item.parent_values)


def test_a_response_that_does_not_fit_is_refused() -> None:
    template = structured.template("chest-xray")
    response = structured.to_response(Form(template, {"effusion": Answer("present", status="filled")}))
    with pytest.raises(InputError, match="does not answer the form"):
        structured.from_response(response, structured.template("brain-mr"))
    response["item"][0]["item"][0]["answer"][0]["valueCoding"]["code"] = "purple"
    with pytest.raises(InputError, match="cannot be 'purple'"):
        structured.from_response(response, template)
    assert structured.to_questionnaire(template)["item"][1]["item"][1]["enableWhen"][0]["question"] == "effusion"


def test_the_order_of_batches_does_not_change_their_answer() -> None:
    rng = np.random.default_rng(1)
    items = [item for name in structured.templates() for item in structured.template(name)]
    for _ in range(1000):
        item = items[int(rng.integers(len(items)))]
        answers = [random_answer(item, rng) for _ in range(int(rng.integers(1, 5)))] + [Answer()]
        if rng.random() < 0.3:
            answers.append(Answer("", item.unit, "what?", None, None, "invalid"))
        shuffled = [answers[i] for i in rng.permutation(len(answers))]
        assert structured.combine(item, answers) == structured.combine(item, shuffled)


def test_how_answers_are_combined() -> None:
    lymphoma = structured.template("lymphoma-ct")

    def joined(item: str, *answers: tuple[str, float | None]) -> Answer:
        rows = [Answer(v, "", v, p, (i, i + 1), "filled") for i, (v, p) in enumerate(answers)]
        return structured.combine(lymphoma[item], [*rows, Answer()])

    assert joined("spleen", ("normal", 0.4), ("enlarged", 0.9)).value == "enlarged"
    assert joined("spleen", ("normal", 0.4), ("enlarged", 0.9)).status == "conflict"
    assert joined("spleen", ("normal", 0.4), ("normal", 0.9)).status == "filled"
    assert joined("extranodal sites", ("bone", None), ("lung", None)).value == "lung; bone"
    assert joined("lungs described", ("Lungs clear.", None), ("No nodule.", None)).value == "Lungs clear. No nodule."
    assert joined("spleen length", ("110", None), ("120", None)).status == "conflict"
    assert joined("spleen") == Answer()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["node", "spleen", "12", "mm", "liver"]), min_size=1, max_size=30), max_size=20),
    st.integers(9, 40),
)
def test_batches_hold_every_word_once_and_fit(sentences: list[list[str]], limit: int) -> None:
    text = " ".join(f"{' '.join(sentence).capitalize()}." for sentence in sentences)
    pieces = structured.batches(text, QUESTION, limit=limit)
    assert " ".join(piece.text for piece in pieces).split() == text.split()
    assert all(words(piece.text) + words(QUESTION) <= limit for piece in pieces)
    assert all(text[piece.start : piece.end] == piece.text for piece in pieces)


def test_a_side_is_not_cut_from_its_noun_and_no_room_is_an_error() -> None:
    text = "Linfonodo ascellare dx. di 12 mm. Fegato nei limiti."
    assert [text[a:b].strip() for a, b in whole_sentences(text)] == [
        "Linfonodo ascellare dx. di 12 mm.",
        "Fegato nei limiti.",
    ]
    with pytest.raises(ConfigurationError, match="leaves no room"):
        structured.batches(text, QUESTION, limit=3)


def spleen_reader(prompt: str) -> str:
    """A model that knows one thing: the length of the spleen, where its context holds it."""
    asked, _, context = prompt.partition(" context: ")
    found = re.search(r"spleen measures (\d+) mm", context)
    return f"{found[1]} mm" if found and "length of the spleen" in asked else "not reported"


def test_batches_find_what_truncation_loses() -> None:
    template = structured.template("lymphoma-ct")
    long_text = "The lungs are clear. " * 200 + "The spleen measures 131 mm. " + "No ascites. " * 50
    batched = structured.ask(template, long_text, spleen_reader)
    truncated = structured.ask(template, long_text, spleen_reader, cut=structured.first_batch)
    assert batched.filled == {"spleen length": "131"}
    assert truncated.filled == {}
    short = "The spleen measures 131 mm."
    assert structured.ask(template, short, spleen_reader) == structured.ask(
        template, short, spleen_reader, cut=structured.first_batch
    )


def test_training_samples_have_negative_batches() -> None:
    template = structured.template("lymphoma-ct")
    text = "The lungs are clear. " * 200 + "The spleen measures 131 mm."
    where = text.index("The spleen")
    form = Form(template, {"spleen length": Answer("131", "mm", "131 mm", None, (where, len(text)), "filled")})
    samples = [s for s in structured.training_samples(form, text) if s.item == "spleen length"]
    assert len(samples) > 1
    assert [s.target for s in samples] == ["not reported"] * (len(samples) - 1) + ["131"]
    assert {s.item for s in structured.training_samples(form, text)} == {i.id for i in template if i.parent is None}
