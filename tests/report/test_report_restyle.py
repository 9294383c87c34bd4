"""The restyle guard: faithful rewritings pass, one altered number, side, term or polarity does not."""

import re

import numpy as np

from groundglass.core import Finding, Image, Location, Measurement, Reading, Study, ontology
from groundglass.metrics.statistics import wilson
from groundglass.report import compose
from groundglass.report.restyler import facts, restyle

TERMS = ontology()
STUDY = Study((Image.of(np.zeros((8, 8), np.uint8), modality="CT"),))
ORGANS = ["liver", "spleen", "pancreas"]
PAIRED = ["kidney", "lung", "adrenal gland"]
DENIED = ["consolidation", "pneumothorax", "pleural effusion", "cardiomegaly"]


def random_reading(rng):
    findings = []
    for name in rng.permutation(ORGANS)[:2]:
        volume = Measurement(TERMS["volume"], float(rng.uniform(20, 1800)), "mL")
        findings.append(Finding(name, TERMS[name], where=Location(TERMS[name]), measurements=(volume,)))
    for number, name in enumerate(rng.permutation(PAIRED)[:2]):
        side = str(rng.choice(["left", "right"]))
        size = [("long axis", rng.uniform(8, 70)), ("short axis", rng.uniform(5, 60))]
        measured = [Measurement(TERMS[k], float(v), "mm") for k, v in size]
        measured.append(Measurement(TERMS["volume"], float(rng.uniform(0.2, 80)), "mL"))
        what = TERMS["cyst"] if number else TERMS["mass"]
        findings.append(Finding(f"l{number}", what, where=Location(TERMS[name], side), measurements=tuple(measured)))
    for name in rng.permutation(DENIED)[:2]:
        findings.append(Finding(name, TERMS[name], str(rng.choice(["absent", "present"]))))
    return Reading(tuple(findings))


def faithful(rng):
    """Reordering, other paraphrases of the tables, mm as cm, sentences joined: what a style may change."""

    def rewrite(text):
        sentences = re.split(r"(?<=\.)\s+", text)
        sentences = [sentences[i] for i in rng.permutation(len(sentences))]
        if rng.integers(2):
            sentences = [re.sub(r"(\d+)\.(\d) mm", lambda m: f"{float(m[0][:-3]) / 10:.2f} cm", s) for s in sentences]
        if len(sentences) > 2:
            first, second = sentences[0].rstrip("."), sentences[1]
            sentences = [f"{first}; {second[:1].lower()}{second[1:]}", *sentences[2:]]
        return " ".join(sentences)

    return rewrite


def altered(rng):
    """Faithful, but with one number or one side changed."""

    def rewrite(text):
        styled = faithful(rng)(text)
        spots = list(re.finditer(r"\d+\.\d+|\bleft\b|\bright\b", styled, re.IGNORECASE))
        if not spots:
            return styled + " The left lung is seen."
        spot = spots[rng.integers(len(spots))]
        word = spot.group()
        if word.casefold() in ("left", "right"):
            new = "right" if word.casefold() == "left" else "left"
        else:
            step = rng.choice([-1, 1]) * max(0.1, round(float(word) * 0.2, 1))
            new = f"{float(word) + step:.{len(word.split('.')[1])}f}"
        return styled[: spot.start()] + new + styled[spot.end() :]

    return rewrite


def test_two_hundred_narratives_with_one_alteration_and_two_hundred_without():
    caught = rejected = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        report = compose(random_reading(rng), STUDY, rng=rng)
        caught += "findings" in restyle(report, altered(rng)).refused
        rejected += "findings" in restyle(report, faithful(rng)).refused
    assert caught / 200 >= 0.99, wilson(caught, 200)
    assert rejected / 200 <= 0.01, wilson(rejected, 200)


def test_accepted_words_keep_their_grounding_and_refused_ones_leave_the_template():
    lung = Location(TERMS["lung"], "left")
    nodule = Finding("f1", TERMS["mass"], where=lung)
    report = compose(Reading((nodule,)), STUDY)
    styled = restyle(report, lambda text: "In the left lung there is a mass.")
    assert styled.refused == {}
    assert styled.report.section("findings").sentences[0].findings == ("f1",)
    for wrong in (
        "In the right lung there is a mass.",
        "In the left lung there is no mass.",
        "In the left lung there is a possible mass.",
        "In the left lung there is a large mass.",
        "In the left lung there is a mass of 3 mm.",
        "In the left lung there is a mass. There is a pneumothorax.",
        "In the left lung there is a cyst.",
        "",
    ):
        kept = restyle(report, lambda text, wrong=wrong: wrong)
        assert set(kept.refused) == {"findings", "impression"}, wrong
        assert kept.report == report


def test_swapped_numbers_are_caught():
    text = "The volume of the liver is 1500.0 mL. The volume of the spleen is 200.0 mL."
    swapped = "The volume of the liver is 200.0 mL. The volume of the spleen is 1500.0 mL."
    assert facts(text) != facts(swapped)
    assert facts(text) == facts("The volume of the spleen is 200.0 mL. The volume of the liver is 1500.0 mL.")
