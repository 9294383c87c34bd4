"""The two halves of wordings: nothing is said alike in both, and every word of one is in the other."""

from __future__ import annotations

from itertools import product

import numpy as np

from groundglass.text import structured
from groundglass.text.structured.paraphrased import CHOICES, ITEMS, TEXTS, Half, paraphrased_report, wordings

HALVES: tuple[Half, Half] = ("first", "second")


def test_no_wording_stands_in_both_halves_but_all_words_do() -> None:
    for item, values in CHOICES.items():
        for value in values:
            first, second = (set(wordings(item, value, half)) for half in HALVES)
            assert first and second and not first & second
            words = [{word for text in texts for word in text.lower().strip(".").split()} for texts in (first, second)]
            assert words[0] == words[1], (item, value)


def test_reports_say_what_they_plant_and_nothing_of_the_other_half() -> None:
    rng = np.random.default_rng(4)
    sentences: dict[Half, set[str]] = {"first": set(), "second": set()}
    phrases: dict[Half, set[str]] = {"first": set(), "second": set()}
    for half in HALVES:
        for _ in range(60):
            report = paraphrased_report(rng, half=half, fillers=2)
            assert set(report.spans) == set(report.values) <= set(ITEMS)
            for item, (start, end) in report.spans.items():
                sentences[half].add(report.text[start:end])
                if item in TEXTS:
                    assert report.values[item] in report.text[start:end]
                    phrases[half].add(report.values[item])
    assert not sentences["first"] & sentences["second"]
    assert not phrases["first"] & phrases["second"]
    assert min(map(len, phrases.values())) > 30


def test_jumbled_phrases_stand_in_their_frames_and_are_none_of_the_grammar() -> None:
    rng = np.random.default_rng(5)
    known = {
        " ".join(part[i] for part, i in zip(parts, at, strict=True))
        for _, parts in TEXTS.values()
        for at in product(*(range(len(part)) for part in parts))
    }
    for _ in range(60):
        report = paraphrased_report(rng, half="first", jumbled=1.0)
        for item in set(report.values) & set(TEXTS):
            start, end = report.spans[item]
            assert report.values[item] in report.text[start:end]
            assert report.values[item] not in known


def test_items_are_those_of_the_form_with_its_values() -> None:
    form = structured.template("lymphoma-ct")
    for item, values in CHOICES.items():
        known = ("yes", "no") if form[item].type == "yes-no" else tuple(form[item].values)
        assert set(values) <= set(known)
    assert all(form[item].type == "text" for item in TEXTS)
