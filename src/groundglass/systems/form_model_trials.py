"""A small sequence-to-sequence model that fills a form, trained from random weights: what batches and negatives do."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from groundglass.metrics.structured_form import FormScores
from groundglass.report.generation.form_answers import AnswerModel, train_answer_model
from groundglass.report.generation.word_answers import word_answer_model
from groundglass.systems.form_claims import Reader, batch_claims, batch_trial, scored
from groundglass.systems.proof import Claim
from groundglass.text import structured
from groundglass.text.structured import NOT_REPORTED, Answer, Form, Template
from groundglass.text.structured.asking import Cutter
from groundglass.text.structured.paraphrased import ITEMS, paraphrased_report
from groundglass.text.structured.planted import PlantedReport

SEED = 72
LIMIT = 32
"""Words of a prompt, two to four sentences beside the question; the paper's model reads 512 tokens."""
WARM_LIMIT = 20
"""Words of a prompt while the model learns to copy: a sentence or two beside the question."""
STEPS, WARM_STEPS, BATCH, RATE = 8000, 3000, 32, 2e-3
JUMBLED = 0.5
"""Share of the training reports' free texts that are words in any order: without them the model says the phrase that it
knows best for the words around, instead of the one that stands there."""
NEGATIVES, WARM_NEGATIVES = 4, 1
"""Batches without the answer per batch with it; a report holds some twenty of them."""
_TRAIN, _TEST = 1000, 20
_LONG = 25  # sentences that answer nothing, so that a report needs several batches

Samples = list[tuple[str, str]]


def model_trials(workdir: Path) -> list[Claim]:
    """Card 72's check 1 in small, and the choices and free texts of its check 2, in wordings that training lacks."""
    whole = structured.template("lymphoma-ct")
    template = Template("lymphoma-ct, in small", whole.title, tuple(item for item in whole if item.id in ITEMS))
    rng = np.random.default_rng([SEED, 1])
    train = [
        paraphrased_report(rng, half="first", fillers=int(rng.integers(0, _LONG)), jumbled=JUMBLED)
        for _ in range(_TRAIN)
    ]
    warm, full = ([_samples(template, report, limit) for report in train] for limit in (WARM_LIMIT, LIMIT))
    with_negatives = _trained(
        workdir / "with negatives", _drawn(warm, rng, WARM_NEGATIVES), _drawn(full, rng, NEGATIVES)
    )
    without = _trained(workdir / "without negatives", _drawn(warm, rng, 0), _drawn(full, rng, 0))
    long_ones = [paraphrased_report(rng, half="second", fillers=_LONG) for _ in range(_TEST)]
    asks = {cut: _asks(template, with_negatives, cut) for cut in (structured.batches, structured.first_batch)}
    trial = batch_trial(template, long_ones, _fitting(template, rng), *asks.values(), texts=True)
    loose = scored(template, long_ones, _asks(template, without, structured.batches), texts=True)
    rules = scored(template, long_ones, lambda report: structured.fill(template, report.text), texts=True)
    return [
        *batch_claims("model, unseen wordings", LIMIT, trial),
        _false_fills(trial.merged, loose),
        _choices(trial.merged, rules),
        _texts(trial.merged, rules),
    ]


def _false_fills(merged: FormScores, loose: FormScores) -> Claim:
    times = loose.false_fills / max(1, merged.false_fills)
    return Claim(
        "model without negative batches: false fills, times those with them",
        times,
        ">= 3",
        times >= 3,
        baseline=float(merged.false_fills),
        simulated=True,
        detail={"false fills without": loose.false_fills, "filled, without": loose.filled.strict},
    )


def _choices(merged: FormScores, rules: FormScores) -> Claim:
    """All items that choose among values, weighed by item."""
    ours, theirs = (
        sum(s.filled_by_type[kind].strict * s.filled_by_type[kind].items for kind in ("choice", "yes-no"))
        / sum(s.filled_by_type[kind].items for kind in ("choice", "yes-no"))
        for s in (merged, rules)
    )
    return Claim(
        "model above rules, choices (yes or no among them), unseen wordings: strict accuracy of filled items",
        ours - theirs,
        ">= 0.10",
        ours - theirs >= 0.1,
        baseline=theirs,
        simulated=True,
        detail={
            f"{who}, {kind}": scores.filled_by_type[kind].strict
            for kind in ("choice", "yes-no", "number")
            for who, scores in (("model", merged), ("rules", rules))
        },
    )


def _texts(merged: FormScores, rules: FormScores) -> Claim:
    """The rules give whole sentences, of which the reference is a part: words in common count, not equality."""
    ours, theirs = merged.filled_by_type["text"], rules.filled_by_type["text"]
    gain = ours.f1 - theirs.f1
    return Claim(
        "model above rules, free text, unseen phrases: token F1 of filled items",
        gain,
        ">= 0.10",
        gain >= 0.1,
        baseline=theirs.f1,
        simulated=True,
        detail={"model, strict": ours.strict, "rules, strict": theirs.strict},
    )


def _samples(template: Template, report: PlantedReport, limit: int) -> Samples:
    answers = {
        item.id: Answer(report.values[item.id], span=report.spans[item.id], status="filled")
        for item in template
        if item.id in report.values
    }
    made = structured.training_samples(Form(template, answers), report.text, limit=limit)
    return [(sample.prompt, sample.target) for sample in made]


def _drawn(reports: list[Samples], rng: np.random.Generator, negatives: int) -> Samples:
    """All answers and, per answer, so many batches without one."""
    said = [sample for report in reports for sample in report]
    answered = [sample for sample in said if sample[1] != NOT_REPORTED]
    empty = [sample for sample in said if sample[1] == NOT_REPORTED]
    return answered + [empty[i] for i in rng.permutation(len(empty))[: len(answered) * negatives]]


def _trained(folder: Path, warm: Samples, full: Samples) -> AnswerModel:
    """First on prompts of a sentence or two, where it learns to copy, then on whole ones, where it learns to find."""
    texts = [text for sample in (*warm, *full) for text in (*sample, NOT_REPORTED)]
    model = word_answer_model(texts, limit=128, seed=SEED)
    for name, samples, steps in (("warm", warm, WARM_STEPS), ("full", full, STEPS)):
        train_answer_model(
            model, samples, folder=folder / name, steps=steps, batch=BATCH, learning_rate=RATE, seed=SEED
        )
    return model


def _fitting(template: Template, rng: np.random.Generator) -> list[PlantedReport]:
    """Reports that lie in one batch with the longest question."""
    room = LIMIT - max(len(item.asked("en").split()) + 2 for item in template)
    found: list[PlantedReport] = []
    while len(found) < _TEST:
        report = paraphrased_report(rng, half="second", stated=0.25)
        if report.text and len(report.text.split()) <= room:
            found.append(report)
    return found


def _asks(template: Template, model: AnswerModel, cut: Cutter) -> Reader:
    """Fills a form; a report's prompts are answered all at once, which is many times faster than one by one."""

    def fill(report: PlantedReport) -> Form:
        prompts: list[str] = []

        def noted(prompt: str) -> str:
            prompts.append(prompt)
            return NOT_REPORTED

        structured.ask(template, report.text, noted, limit=LIMIT, cut=cut)
        # No item of the small form hangs on another one's answer: what is asked is always the same.
        known = dict(zip(prompts, model.answers(prompts), strict=True))
        return structured.ask(template, report.text, known.__getitem__, limit=LIMIT, cut=cut)

    return fill
