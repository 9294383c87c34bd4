"""CT tumour reports: templates, parse-back, narrative, guard and fusion."""

from __future__ import annotations

import re

import numpy as np
import pytest

from groundglass.core import Image, Mask, Reading, Study
from groundglass.reading.given import sorted_masks
from groundglass.reading.lesions import findings_of
from groundglass.report import compose, conflicts, shipped_templates, unsupported
from groundglass.report.guard import compare_facts, facts
from groundglass.report.oncology_ct import fused, lesions_in_text, lesions_of, narrative, structured_sentences


def ball(shape, centre, radius) -> np.ndarray:
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), -1)
    return np.linalg.norm(grid - centre, axis=-1) <= radius


@pytest.fixture(scope="module")
def case():
    shape = (110, 70, 70)
    liver, kidney = ball(shape, (35, 35, 35), 30), ball(shape, (88, 35, 35), 18)
    large, small, renal = ball(shape, (40, 35, 35), 8), ball(shape, (20, 35, 40), 3), ball(shape, (92, 35, 40), 6)
    half = np.arange(shape[0])[:, None, None] >= 35
    hu = np.where(large | small, 50.0, np.where(liver | kidney, 105.0, -80.0)) + np.random.default_rng(0).normal(
        0, 6, shape
    )
    image = Image.of(hu, np.eye(4), modality="CT", name="ct")
    masks = {
        "liver": liver,
        "liver lesion": large | small,
        "liver segment 8": liver & half,
        "liver segment 2": liver & ~half,
        "right kidney": kidney,
        "renal cell carcinoma": renal,
    }
    findings, _ = findings_of(sorted_masks(image, {k: Mask.of(v, np.eye(4)) for k, v in masks.items()})[0])
    return image, findings


def test_every_sentence_of_the_table_reads_back() -> None:
    keys = [t.key for t in shipped_templates() if t.key.startswith(("lesion", "organ ", "vessel contact"))]
    assert len(keys) >= 14
    assert not conflicts(shipped_templates(), keys=keys)


def test_the_composed_report_reads_back_to_the_same_lesions(case) -> None:
    image, findings = case
    report = compose(Reading(findings=findings), Study((image,)))
    assert not unsupported(report)
    stated = lesions_in_text(report.text)
    assert stated == lesions_of(findings)
    assert [(f.organ, f.number) for f in stated] == [("kidney", 1), ("liver", 1), ("liver", 2)]
    kidney, liver, _ = stated
    assert kidney.side == "right" and kidney.stage == "T1a"
    assert liver.segments == ("liver segment 8",) and liver.attenuation == "hypoattenuating"
    assert liver.long_cm == pytest.approx(1.6, abs=0.11)
    impression = report.section("impression")
    assert impression is not None and any("Lesions of the liver: 2" in s.text for s in impression.sentences)


def test_narratives_keep_the_facts_and_the_guard_accepts_them(case) -> None:
    _, findings = case
    source = narrative(findings, rng=np.random.default_rng(0))
    for seed in range(1, 30):
        other = narrative(findings, rng=np.random.default_rng(seed))
        assert compare_facts(source, other).accepted, compare_facts(source, other)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("lesion 1", "lesion 2"),
        ("right", "left"),
        ("T1a", "T1b"),
        ("segment 8", "segment 7"),
        ("hypoattenuating", "hyperattenuating"),
    ],
)
def test_the_guard_rejects_a_changed_fact(case, before, after) -> None:
    _, findings = case
    source = narrative(findings, rng=np.random.default_rng(3))
    changed = re.sub(before, after, source, count=1, flags=re.IGNORECASE)
    assert changed != source and not compare_facts(source, changed).accepted


def test_the_guard_sees_additions_and_swapped_lesions() -> None:
    source = "Lesion 1 of the liver measures 3.2 x 2.1 cm. Lesion 2 of the liver measures 1.0 x 0.8 cm."
    assert compare_facts(source, "Lesion 1 of the liver: 32 by 21 mm. Lesion 2 of the liver: 10 by 8 mm.").accepted
    swapped = "Lesion 1 of the liver measures 1.0 x 0.8 cm. Lesion 2 of the liver measures 3.2 x 2.1 cm."
    assert not compare_facts(source, swapped).accepted
    added = compare_facts(source, source + " It abuts the portal vein over 40 degrees.")
    assert {f.kind for f in added.added} == {"vessel", "contact", "degrees"}
    assert not compare_facts(source, source.replace("measures 3.2", "does not measure 3.2")).accepted


def test_roman_and_arabic_segments_are_one_fact() -> None:
    one = facts("Lesion 1 of the liver lies in segments V and VIII.")
    assert one == facts("Lesion 1 of the liver lies in segment 5 and segment 8.")


def test_fusion_keeps_what_the_human_said_of_other_things(case) -> None:
    _, findings = case
    note = (
        "There is a 9.9 cm mass in the liver. The gallbladder is surgically absent. "
        "A small pulmonary nodule is unchanged. No ascites."
    )
    text = fused(note, findings)
    assert "9.9 cm" not in text
    for kept in ("The gallbladder is surgically absent.", "A small pulmonary nodule is unchanged.", "No ascites."):
        assert kept in text
    assert lesions_in_text(text) == lesions_of(findings)


def test_structured_sentences_are_all_of_templates(case) -> None:
    _, findings = case
    assert all(shipped_templates().parse(s) is not None for s in structured_sentences(findings))
