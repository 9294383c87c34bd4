"""The gate of translations and the bilingual grammar: what is right passes, what is wrong is named."""

from __future__ import annotations

import numpy as np
import pytest

from groundglass.text import label_values
from groundglass.text.translation import CORRUPTIONS, corrupted, gate, planted_report


@pytest.mark.parametrize(
    ("english", "japanese", "problem"),
    [
        ("Left pleural effusion.", "左側に胸水を認めます。", ""),
        ("Left pleural effusion.", "右側に胸水を認めます。", "sides differ"),
        ("No pleural effusion.", "胸水を認めます。", "negations differ"),
        ("No pleural effusion.", "胸水なし。", ""),
        ("A 12 mm nodule.", "12mm大の結節を認めます。", ""),
        ("A 12 mm nodule.", "13mm大の結節を認めます。", "numbers differ"),
        ("A 12 mm nodule.", "12cm大の結節を認めます。", "units differ"),
        ("Bilateral effusion.", "両側胸水を認めます。", ""),
        ("Effusion on both sides.", "左側に胸水を認めます。", "sides differ"),
        ("Small effusion in the chest.", "少量の胸水を認めます。effusion", "words are left over: effusion"),
        ("Small effusion.", "胸水" * 40, "length is out of proportion"),
    ],
)
def test_gate(english: str, japanese: str, problem: str) -> None:
    assert gate(english, japanese) == ((problem,) if problem else ())


def test_the_gate_reads_italian_and_chinese_too() -> None:
    assert gate("No left effusion.", "Non versamento sinistro.", target="it") == ()
    assert gate("No left effusion.", "Versamento sinistro.", target="it") == ("negations differ",)
    assert gate("Left effusion.", "右侧胸腔积液。", target="zh") == ("sides differ",)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_every_corruption_is_caught(kind: str) -> None:
    rng = np.random.default_rng(6)
    done = 0
    while done < 20:
        report = planted_report(rng)
        wrong = CORRUPTIONS[kind](report.japanese, rng)
        if wrong != report.japanese:
            done += 1
            assert gate(report.english, wrong)


def test_both_languages_say_the_labels() -> None:
    rng = np.random.default_rng(7)
    for _ in range(40):
        report = planted_report(rng)
        for text, language in ((report.english, "en"), (report.japanese, "ja")):
            said = label_values(text, "ctrate18", language=language)
            assert {name for name, value in said.items() if value == "present"} == report.labels, text


def test_a_text_without_anything_to_spoil_comes_back() -> None:
    assert corrupted("心拡大。", np.random.default_rng(0)) == ("心拡大。", "")
