"""CheXStruct and CXReasonBench (arXiv 2505.18087, NeurIPS 2025 D&B): measure a radiograph by rule, examine reasoning.

Twelve recipes turn anatomy masks into landmarks, an index and a label; the rows become an exam whose stages (decision,
rule, structure, measurement, conclusion) show where a model's reasoning breaks, with guidance and a transfer case for
those who did not know. What differs from the paper: edges are sub-pixel and free of the picture's scale (the release
counts pixels between pixel centres, so a doubled picture changes its ratios); tortuosity is a bend in degrees, not a
curvature per pixel; a clavicle beyond the midline counts as rotated instead of dropping the case; the ranges of the
measurement stage start at the threshold; replies are read by a strict parser, a judge only where that finds no option.
The release's faults are not kept: the refined stage list is the refined one, and a projection answer with one side out
of range is wrong. Masks come from any segmenter; the proof uses drawn chests and projected phantoms (simulations).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from groundglass.core import ConfigurationError
from groundglass.io.atomic import write_text_atomic
from groundglass.measurement.radiographic import (
    RECIPES,
    CaseExam,
    RadiographMasks,
    RowReader,
    TaskRow,
    build_exam,
    drop_rates,
    measure_radiograph,
    shown_regions,
    sit_exam,
    sit_guided_exam,
    threshold,
    to_json,
    write_pictures,
)
from groundglass.metrics.reasoning_exam import (
    AlwaysUnsure,
    AnswerWithoutPicture,
    RandomChooser,
    distance_from_chance,
)
from groundglass.metrics.statistics import wilson
from groundglass.synthesis.schematic_chest import SchematicChest
from groundglass.synthesis.thorax import PhantomRadiograph, random_radiograph
from groundglass.systems.proof import Claim, Proof

ENTRY = "groundglass read (radiographs); groundglass.measurement.radiographic"

_SEED = 67
_PHANTOMS = 200
_SIZE = 192
_DRAWN = 1000


def prove(workdir: Path, data: Path | None) -> Proof:
    """Card 67's checks: closed form, independent cardiothoracic ratio, soundness of the exam, Wilson's interval."""
    rng = np.random.default_rng(_SEED)
    phantoms = {f"phantom-{i:03d}": random_radiograph(rng, size=_SIZE) for i in range(_PHANTOMS)}
    masks = {case: RadiographMasks(p.masks, (p.pixel_mm,) * 2, p.view) for case, p in phantoms.items()}
    rows = {case: measure_radiograph(each) for case, each in masks.items()}
    exams = build_exam(rows, {case: shown_regions(each) for case, each in masks.items()}, rng)
    _write_exam(exams, phantoms, masks, workdir)
    drops = drop_rates(row for by_task in rows.values() for row in by_task.values())
    return Proof(
        67,
        (*_geometry(), *_reference(phantoms, masks, rows), *_exam(exams, rows), _wilson_claim()),
        seeds=(_SEED,),
        notes=(
            f"{len(exams)} cases over {len({exam.task for exam in exams})} tasks, "
            f"{sum(len(e.direct) + len(e.guidance) + len(e.review) for e in exams)} questions",
            "dropped: " + ", ".join(f"{task} {view} {k}/{n}" for (task, view), (k, n) in drops.items() if k),
        ),
    )


def _write_exam(
    exams: Sequence[CaseExam],
    phantoms: Mapping[str, PhantomRadiograph],
    masks: Mapping[str, RadiographMasks],
    workdir: Path,
) -> None:
    """The questions as JSON lines, and the pictures of the first case as an example."""
    workdir.mkdir(parents=True, exist_ok=True)
    write_text_atomic(workdir / "exam.jsonl", to_json(exams))
    case = exams[0].case
    write_pictures(exams[0].direct, phantoms[case].image, masks[case], workdir)


def _measure(task: str, chest: SchematicChest, *, size: int = _DRAWN, view: str = "PA") -> TaskRow:
    recipe = next(recipe for recipe in RECIPES if recipe.task == task)
    return recipe.run(RadiographMasks(chest.draw(size), view=view))


def _geometry() -> list[Claim]:
    """Drawn chests of known indices, the flip of every label, and invariance to scale and mirror."""
    ratios = [
        abs(_measure("cardiomegaly", SchematicChest(cardiothoracic_ratio=truth)).index / truth - 1)
        for truth in (0.40, 0.49, 0.51, 0.60)
    ]
    angles = [
        abs(_measure("carina_angle", SchematicChest(carina_angle=truth)).index - truth) for truth in (50.0, 70.0, 90.0)
    ]
    pairs = [(0.04, 0.04), (0.02, 0.05), (0.06, 0.03)]
    rotations = [
        abs(_measure("rotation", SchematicChest(clavicles=pair)).index / (min(pair) / max(pair)) - 1) for pair in pairs
    ]
    deviations = [
        abs(_measure("trachea_deviation", SchematicChest(deviation=truth)).index - truth)
        for truth in (-1.0, -0.25, 0.75)
    ]
    flips = [_flips(task) for task in (recipe.task for recipe in RECIPES)]
    return [
        _at_most("cardiothoracic ratio 0.40, 0.49, 0.51, 0.60, largest relative error", max(ratios), 0.01),
        _at_most("carina angle 50, 70, 90, largest error in degrees", max(angles), 1.0),
        _at_most("rotation ratio, largest relative error", max(rotations), 0.01),
        _at_most("tracheal deviation, largest error in tracheal widths", max(deviations), 0.01),
        Claim("labels flip within 1e-6 of the threshold", float(np.mean(flips)), "1 (all tasks)", all(flips)),
        Claim("drawn CTR 358/720 and 360/720 at 0.5", *_drawn_flip(), simulated=True),
        _at_most("doubled pixels: largest change of the ratios", _doubled(), 1e-9),
        _at_most("mirror with sides swapped: largest change of the indices", _mirrored(), 1e-6),
    ]


def _flips(task: str) -> bool:
    """Whether the label changes between just under and just over each limit."""
    rule = threshold(task)
    limits = [(view, limit) for view, value in rule.value.items() for limit in np.atleast_1d(value)]
    return all(rule.label(limit * (1 - 1e-6), view) != rule.label(limit * (1 + 1e-6), view) for view, limit in limits)


def _drawn_flip() -> tuple[float, str, bool]:
    labels = [_measure("cardiomegaly", SchematicChest(cardiothoracic_ratio=n / 720)).label for n in (358, 360)]
    return float(labels[1] or 0), "0 below, 1 at the threshold", labels == [0, 1]


_ABNORMAL = SchematicChest(
    cardiothoracic_ratio=0.58, mediastinal_ratio=0.31, carina_angle=84, clavicles=(0.02, 0.05), overlap=(0.4, 0.35)
)


def _doubled() -> float:
    drawn = _ABNORMAL.draw(500)
    larger = {name: mask.repeat(2, axis=0).repeat(2, axis=1) for name, mask in drawn.items()}
    before, after = (measure_radiograph(RadiographMasks(each, view="PA")) for each in (drawn, larger))
    tasks = ("cardiomegaly", "mediastinal_widening", "projection", "rotation", "aortic_knob_enlargement")
    return max(abs(before[task].index - after[task].index) for task in tasks)


def _mirrored() -> float:
    masks = RadiographMasks(_ABNORMAL.draw(500), view="PA")
    before, after = measure_radiograph(masks), measure_radiograph(masks.mirrored())
    tasks = ("inclusion", "cardiomegaly", "mediastinal_widening", "projection", "rotation", "carina_angle")
    return max(abs(before[task].index - after[task].index) for task in tasks)


def _reference(
    phantoms: Mapping[str, PhantomRadiograph],
    masks: Mapping[str, RadiographMasks],
    rows: Mapping[str, Mapping[str, TaskRow]],
) -> list[Claim]:
    """Cardiothoracic ratio against another implementation's rule and against the phantom's solid shapes."""
    cases = [case for case in rows if rows[case]["cardiomegaly"].is_measured and masks[case].has("right hemidiaphragm")]
    ours = np.array([rows[case]["cardiomegaly"].index for case in cases])
    theirs = np.array([diaphragm_rule_ratio(masks[case].masks) for case in cases])
    unexplained = np.array([_unexplained(masks[case], rows[case]["cardiomegaly"]) for case in cases])
    truth = np.array([phantoms[case].truth["cardiothoracic ratio"] for case in cases])
    pearson = float(np.corrcoef(ours, theirs)[0, 1])
    spread = 1.96 / math.sqrt(len(cases) - 3)
    projected = np.array([phantoms[case].truth["projected cardiothoracic ratio"] for case in cases])
    errors = np.abs(ours - truth)
    half = 1.96 * errors.std(ddof=1) / math.sqrt(len(errors))
    return [
        Claim(
            "cardiothoracic ratio and the hemidiaphragm-midline rule on the same masks, Pearson",
            pearson,
            ">= 0.95",
            pearson >= 0.95,
            low=math.tanh(math.atanh(pearson) - spread),
            high=math.tanh(math.atanh(pearson) + spread),
            simulated=True,
            detail={"cases": len(cases), "mean difference": float((ours - theirs).mean())},
        ),
        Claim(
            "midline cut off a tenth of the chest before the heart: largest difference that its gap does not explain",
            float(unexplained.max()),
            "<= 0.02",
            bool(unexplained.max() <= 0.02),
            baseline=0.1,
            simulated=True,
        ),
        Claim(
            "cardiothoracic ratio and the phantom's solid shapes, mean absolute error",
            float(errors.mean()),
            "<= 0.02",
            bool(errors.mean() <= 0.02),
            low=float(errors.mean() - half),
            high=float(errors.mean() + half),
            simulated=True,
            detail={
                "largest": float(errors.max()),
                "share within 0.02": float((errors <= 0.02).mean()),
                "largest against the projected silhouettes": float(np.abs(ours - projected).max()),
            },
        ),
    ]


def diaphragm_rule_ratio(masks: Mapping[str, np.ndarray]) -> float:
    """Another package's documented rule, written from its description as an independent check.

    Midline = largest column of the right hemidiaphragm; the farthest heart pixel to either side of it, summed, over
    the widest row of both lungs; distances between pixel centres.
    """
    midline = float(np.argwhere(masks["right hemidiaphragm"])[:, 1].max())
    columns = np.argwhere(masks["heart"])[:, 1]
    to_right, to_left = max(midline - columns.min(), 0.0), max(columns.max() - midline, 0.0)
    lungs = masks["right lung"] | masks["left lung"]
    widest = max(np.ptp(np.flatnonzero(row)) for row in lungs if row.any())
    return float((to_right + to_left) / widest)


def _unexplained(masks: RadiographMasks, row: TaskRow) -> float:
    """What is left when that rule's midline lies outside the heart and the known gap is taken off its ratio."""
    chest = float(row.values["thoracic_width_px"])
    stop = math.floor(float(row.values["heart_xmin"]) - 0.1 * chest)
    diaphragm = np.zeros(masks.shape, dtype=bool)
    diaphragm[-1, : stop + 1] = True
    theirs = diaphragm_rule_ratio({**masks.masks, "right hemidiaphragm": diaphragm})
    return abs(theirs - (float(row.values["heart_xmin"]) - stop) / chest - float(row.index or math.nan))


def _exam(exams: Sequence[CaseExam], rows: Mapping[str, Mapping[str, TaskRow]]) -> list[Claim]:
    """Four examinees whose scores are known beforehand."""
    oracle = RowReader({(case, task): row for case, by_task in rows.items() for task, row in by_task.items()})
    direct, (guided, review) = sit_exam(oracle, exams), sit_guided_exam(oracle, exams)
    lowest = min(p.naive for s in (direct, guided, review) if s for p in (*s.stages.values(), s.binary, s.consistency))
    refined = [s.refined for s in (direct, guided, review) if s and s.refined]
    tops = [s.stage_score for s in (direct, guided, review) if s] + [s.stage_score for s in refined]
    chance = distance_from_chance(
        [item for exam in exams for item in exam.direct], RandomChooser(np.random.default_rng(_SEED + 1))
    )
    unsure = sit_exam(AlwaysUnsure(), exams)
    blind = sit_exam(AnswerWithoutPicture(np.random.default_rng(_SEED + 2)), exams)
    init = blind.stages["init"]
    return [
        Claim(
            "oracle: lowest rate of any stage and path",
            lowest,
            "1, stage scores 4 (direct), 3 (guided), 4 (review), refined alike",
            lowest == 1 and tops == [4, 3, 4, 4, 3, 4],
            simulated=True,
            detail={"cases": len(exams)},
        ),
        Claim(
            "random chooser: largest distance of a stage's rate from 1/options, in standard errors",
            max(abs(z) for z, _ in chance.values()),
            "<= 3",
            max(abs(z) for z, _ in chance.values()) <= 3,
            simulated=True,
            detail={stage: rate for stage, (_, rate) in chance.items()},
        ),
        Claim(
            "always unsure: decision rate",
            unsure.decision.naive,
            "0, and no stage score",
            unsure.decision.naive == 0 and math.isnan(unsure.stage_score),
            high=unsure.decision.high,
            simulated=True,
        ),
        Claim(
            "knows the answer, not the picture: stage score",
            blind.stage_score,
            "< 1.5 with 100 % of the first answers right",
            blind.stage_score < 1.5 and init.naive == 1,
            baseline=direct.stage_score,
            simulated=True,
            detail={"init": init.naive, "final given all": blind.binary.naive, "final high": blind.binary.high},
        ),
    ]


def _wilson_claim() -> Claim:
    try:
        from statsmodels.stats.proportion import proportion_confint
    except ImportError as error:
        raise ConfigurationError(
            "proof of system 67", "compares with statsmodels", "Install the extra `test`."
        ) from error
    worst = 0.0
    for trials in (1, 7, 100, 1200):
        for successes in range(0, trials + 1, max(1, trials // 50)):
            ours = wilson(successes, trials)
            low, high = proportion_confint(successes, trials, alpha=0.05, method="wilson")
            worst = max(worst, abs(ours.low - low), abs(ours.high - high))
    return _at_most("Wilson's interval and statsmodels, largest difference", worst, 1e-9, simulated=False)


def _at_most(name: str, measured: float, limit: float, *, simulated: bool = True) -> Claim:
    return Claim(name, float(measured), f"<= {limit:g}", bool(measured <= limit), simulated=simulated)
