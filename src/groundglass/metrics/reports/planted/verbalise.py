"""A plan in words: each call draws nouns, words, frames and their order anew: two calls paraphrase each other."""

from __future__ import annotations

import numpy as np

from groundglass.metrics.reports.planted.plan import Kind, PlannedFinding, ReportPlan, vocabulary


def verbalise(plan: ReportPlan, rng: np.random.Generator) -> str:
    """The report of a plan: one sentence per present finding, denials alone or in twos, in random order."""
    sentences = [finding_sentence(finding, rng) for finding in plan.present]
    denied = list(plan.absent)
    while denied:
        pair = [denied.pop() for _ in range(min(len(denied), int(rng.integers(1, 3))))]
        sentences.append(denial_sentence(pair, rng))
    return " ".join(sentences[index] for index in rng.permutation(len(sentences)))


def finding_sentence(finding: PlannedFinding, rng: np.random.Generator) -> str:
    """One sentence that states the finding with all its details."""
    phrase = _noun_phrase(finding, rng)
    words = vocabulary()
    if finding.course is None:
        frame = _pick(words["present"], rng)
        return _sentence(frame.format(np=phrase, a_np=_article(phrase)))
    course = _pick(words["course_words"][finding.course], rng)
    clause = _pick(words["course_clauses"][finding.course], rng)
    frame = _pick(words["changed"], rng)
    return _sentence(frame.format(np=phrase, course=course, clause=clause, a_course_np=_article(f"{course} {phrase}")))


def denial_sentence(denied: list[Kind], rng: np.random.Generator) -> str:
    """One sentence that denies one finding or two."""
    nouns = [_pick(kind.nouns, rng) for kind in denied]
    if len(nouns) == 1:
        return _sentence(_pick(vocabulary()["absent"], rng).format(n=nouns[0]))
    return _sentence(_pick(vocabulary()["absent_list"], rng).format(n=nouns[0], m=nouns[1]))


def _noun_phrase(finding: PlannedFinding, rng: np.random.Generator) -> str:
    """ "small left pleural effusion", "pleural effusion on the left", "12 mm nodule in the left upper lobe"."""
    before: list[str] = []
    after: list[str] = []
    if finding.grade:
        before.append(_pick(vocabulary()["grade_words"][finding.grade], rng))
    if finding.size_mm:
        size = f"{finding.size_mm} mm" if rng.random() < 0.5 else f"{finding.size_mm / 10:g} cm"
        (before if rng.random() < 0.7 else after).append(size)
    noun = _pick(finding.kind.nouns, rng)
    place = " ".join(word for word in (finding.side, finding.place) if word)
    if finding.place == "lung base":
        after.insert(0, f"at the {place}")
    elif finding.place:
        if rng.random() < 0.5 and not after:
            before.append(place)
        else:
            after.insert(0, f"in the {place}")
    elif finding.side:
        if rng.random() < 0.7:
            before.append(finding.side)
        else:
            after.insert(0, f"on the {finding.side}")
    tail = [f"measuring {part}" if part[0].isdigit() else part for part in after]
    return " ".join([*before, noun, *tail])


def _article(phrase: str) -> str:
    if phrase[0].isdigit():
        return f"{'an' if phrase[0] == '8' or phrase.startswith('18 ') else 'a'} {phrase}"
    uncountable = (
        "edema",
        "oedema",
        "emphysema",
        "fibrosis",
        "congestion",
        "lymphadenopathy",
        "adenopathy",
        "atelectasis",
    )
    if any(word in phrase for word in (*uncountable, "bronchiectasis", "cardiomegaly", "enlargement", "widening")):
        return phrase
    return f"{'an' if phrase[0] in 'aeio' or phrase.startswith('un') else 'a'} {phrase}"


def _pick(options: list[str] | tuple[str, ...], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
