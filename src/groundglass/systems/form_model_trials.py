"""A small sequence-to-sequence model that fills a form, trained from random weights: what batches and negatives do."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np

from groundglass.metrics.structured_form import FormAnswer, FormScores, form_scores
from groundglass.report.generation.form_answers import AnswerModel, train_answer_model
from groundglass.report.generation.word_answers import word_answer_model
from groundglass.systems.proof import Claim
from groundglass.text import structured
from groundglass.text.structured import NOT_REPORTED, Answer, Form, Template
from groundglass.text.structured.answer import well_formed
from groundglass.text.structured.asking import Cutter
from groundglass.text.structured.planted import PlantedReport, planted_report

SEED = 72
LIMIT = 48
"""Words of a prompt; the paper's model reads 512 tokens."""
STEPS, BATCH, RATE = 1800, 24, 1.5e-3
_TRAIN, _TEST = 1000, 20
_LONG = 25  # sentences that answer nothing, so that a report needs several batches
_ITEMS = (
    "bulky disease", "spleen", "spleen length", "splenic lesions", "liver", "liver length", "pleural effusion",
    "pericardial effusion", "ascites", "response", "Deauville score", "Ann Arbor stage",
)  # fmt: skip

Reader = Callable[[PlantedReport], Form]


def model_trials(workdir: Path) -> list[Claim]:
    """Card 72's check 1 in small and the choice items of its check 2."""
    whole = structured.template("lymphoma-ct")
    template = Template("lymphoma-ct, in small", whole.title, tuple(item for item in whole if item.id in _ITEMS))
    rng = np.random.default_rng([SEED, 1])
    said = [sample for _ in range(_TRAIN) for sample in _samples(template, planted_report(rng, fillers=_few(rng)))]
    answered = [sample for sample in said if sample[1] != NOT_REPORTED]
    empty = [sample for sample in said if sample[1] == NOT_REPORTED]
    drawn = [empty[i] for i in rng.permutation(len(empty))[: len(answered)]]
    with_negatives = _trained(workdir / "with negatives", answered + drawn)
    without = _trained(workdir / "without negatives", answered)
    long_ones = [planted_report(rng, fillers=_LONG) for _ in range(_TEST)]
    short_ones = _fitting(template, rng)
    merged = scored(template, long_ones, _asks(template, with_negatives, structured.batches))
    cut = scored(template, long_ones, _asks(template, with_negatives, structured.first_batch))
    short = scored(template, short_ones, _asks(template, with_negatives, structured.batches))
    short_cut = scored(template, short_ones, _asks(template, with_negatives, structured.first_batch))
    loose = scored(template, long_ones, _asks(template, without, structured.batches))
    rules = scored(template, long_ones, lambda report: structured.fill(template, report.text))
    return [
        *_batch_claims(merged, cut, short, short_cut, float(np.mean([len(r.text.split()) for r in long_ones]))),
        _false_fills(merged, loose),
        *_against_rules(merged, rules),
    ]


def _batch_claims(
    merged: FormScores, cut: FormScores, short: FormScores, short_cut: FormScores, words: float
) -> list[Claim]:
    gain, change = merged.filled.strict - cut.filled.strict, short.all.strict - short_cut.all.strict
    detail: dict[str, float | int | str] = {
        "batches, filled": merged.filled.strict,
        "batches, all": merged.all.strict,
        "truncation, all": cut.all.strict,
        **{f"batches, {kind}, filled": held.strict for kind, held in merged.filled_by_type.items()},
        "reports": _TEST,
        "steps of training": STEPS,
    }
    return [
        Claim(
            f"model, {words:.0f} words: strict accuracy of filled items, batches above truncation at {LIMIT}",
            gain,
            ">= 0.10",
            gain >= 0.1,
            baseline=cut.filled.strict,
            simulated=True,
            detail=detail,
        ),
        Claim(
            "model, reports that fit: strict accuracy, batches minus truncation",
            change,
            "within 0.02",
            abs(change) <= 0.02,
            simulated=True,
            detail={"filled": short.filled.strict, "all": short.all.strict},
        ),
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


def _against_rules(merged: FormScores, rules: FormScores) -> list[Claim]:
    claims = []
    for kind in ("choice", "yes-no"):
        ours, theirs = merged.filled_by_type[kind].strict, rules.filled_by_type[kind].strict
        claims.append(
            Claim(
                f"model above rules, {kind} items: strict accuracy of filled items",
                ours - theirs,
                ">= 0.10",
                ours - theirs >= 0.1,
                baseline=theirs,
                simulated=True,
            )
        )
    return claims


def _few(rng: np.random.Generator) -> int:
    return int(rng.integers(0, _LONG))


def _samples(template: Template, report: PlantedReport) -> list[tuple[str, str]]:
    answers = {
        item.id: Answer(report.values[item.id], span=report.spans[item.id], status="filled")
        for item in template
        if item.id in report.values
    }
    made = structured.training_samples(Form(template, answers), report.text, limit=LIMIT)
    return [(sample.prompt, sample.target) for sample in made]


def _trained(folder: Path, samples: list[tuple[str, str]]) -> AnswerModel:
    model = word_answer_model([text for sample in samples for text in (*sample, NOT_REPORTED)], limit=128, seed=SEED)
    train_answer_model(model, samples, folder=folder, steps=STEPS, batch=BATCH, learning_rate=RATE, seed=SEED)
    return model


def _fitting(template: Template, rng: np.random.Generator) -> list[PlantedReport]:
    """Reports that lie in one batch with the longest question."""
    room = LIMIT - max(len(item.asked("en").split()) + 2 for item in template)
    found: list[PlantedReport] = []
    while len(found) < _TEST:
        report = planted_report(rng)
        if report.text and len(report.text.split()) <= room:
            found.append(report)
    return found


def _asks(template: Template, model: AnswerModel, cut: Cutter) -> Reader:
    asked = lru_cache(maxsize=None)(model)
    return lambda report: structured.ask(template, report.text, asked, limit=LIMIT, cut=cut)


def scored(template: Template, reports: list[PlantedReport], read: Reader) -> FormScores:
    """The reader's forms against the planted values; free-text items, which are not planted, are left out."""
    rows = []
    for number, report in enumerate(reports):
        form = read(report)
        rows += [
            FormAnswer(
                str(number),
                item.id,
                item.type,
                report.values.get(item.id, ""),
                form[item.id].value,
                form[item.id].status != "invalid" and well_formed(item, form[item.id].value),
            )
            for item in template
            if item.type != "text"
        ]
    return form_scores(rows)
