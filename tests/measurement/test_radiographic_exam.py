"""The exam made from drawn chests: items, gating, guidance, and examinees whose scores are known."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from PIL import Image as Picture

from groundglass.core import InputError
from groundglass.measurement.radiographic import (
    RECIPES,
    RadiographMasks,
    RowReader,
    build_exam,
    direct_items,
    measure_radiograph,
    shown_regions,
    sit_exam,
    sit_guided_exam,
    to_json,
    write_pictures,
)
from groundglass.metrics.reasoning_exam import (
    STAGES,
    AlwaysUnsure,
    AnswerWithoutPicture,
    Item,
    RandomChooser,
    distance_from_chance,
    ranked,
    score,
    sit,
)
from groundglass.synthesis.schematic_chest import SchematicChest


def chest(rng: np.random.Generator) -> SchematicChest:
    return SchematicChest(
        cardiothoracic_ratio=rng.uniform(0.4, 0.62),
        mediastinal_ratio=rng.uniform(0.18, 0.32),
        carina_angle=rng.uniform(50, 100),
        deviation=rng.uniform(-1, 1),
        clavicles=(rng.uniform(0.01, 0.07), rng.uniform(0.01, 0.07)),
        overlap=(rng.uniform(0.05, 0.6), rng.uniform(0.05, 0.6)),
        rib=int(rng.integers(7, 11)),
        knob_ratio=rng.uniform(1.5, 3.2),
        ascending_share=rng.uniform(0, 0.3),
        descending_ratio=rng.uniform(1.5, 3.0),
        bend=rng.uniform(20, 100),
        cut=frozenset({"left costophrenic"} if rng.random() < 0.4 else ()),
    )


@pytest.fixture(scope="module")
def exam():
    rng = np.random.default_rng(1)
    masks = {f"c{i}": RadiographMasks(chest(rng).draw(300), view=("PA", "AP")[i % 2]) for i in range(40)}
    rows = {case: measure_radiograph(each) for case, each in masks.items()}
    exams = build_exam(rows, {case: shown_regions(each) for case, each in masks.items()}, rng)
    return rows, masks, exams


def oracle(rows):
    return RowReader({(case, task): row for case, by_task in rows.items() for task, row in by_task.items()})


def test_every_task_is_asked(exam):
    _, _, exams = exam
    assert {e.task for e in exams} == {recipe.task for recipe in RECIPES}
    assert all(e.review[0].case != e.case for e in exams)
    assert {item.stage for e in exams for item in e.direct} == set(STAGES)


def test_no_range_lies_on_both_sides_of_the_threshold(exam):
    rows, _, exams = exam
    for each in exams:
        row, final = rows[each.case][each.task], each.direct[-1]
        if len(final.reference) != 1:
            continue
        low, high = final.reference[0]
        inner = np.linspace(low + 1e-6, high - 1e-6, 5)
        assert {row.threshold.label(value, row.view) for value in inner} == {row.label}
        assert low - 1e-9 <= row.index <= high + 1e-9


def test_oracle_reaches_the_top_on_every_path(exam):
    rows, _, exams = exam
    direct, (guided, review) = sit_exam(oracle(rows), exams), sit_guided_exam(oracle(rows), exams)
    for scores, top in ((direct, 4), (guided, 3), (review, 4)):
        assert {stage: rate.naive for stage, rate in scores.stages.items()} == dict.fromkeys(scores.stages, 1.0)
        assert (scores.stage_score, scores.refined.stage_score) == (top, top)
        assert scores.refined.value.naive == scores.consistency.naive == 1.0


def test_random_chooser_is_at_chance(exam):
    _, _, exams = exam
    items = [item for each in exams for item in each.direct] * 5
    found = distance_from_chance(items, RandomChooser(np.random.default_rng(3)))
    assert max(abs(distance) for distance, _ in found.values()) < 3.5


def test_always_unsure_decides_nothing(exam):
    _, _, exams = exam
    scores = sit_exam(AlwaysUnsure(), exams)
    assert scores.decision.naive == 0.0
    assert math.isnan(scores.stage_score)
    assert set(scores.stages) == {"init"}


def test_knowing_the_answer_is_not_seeing_the_picture(exam):
    _, _, exams = exam
    scores = sit_exam(AnswerWithoutPicture(np.random.default_rng(4)), exams)
    assert scores.stages["init"].naive == 1.0
    assert scores.stages["criteria"].naive == 1.0
    assert scores.stage_score < 1.5


def test_agents_are_ranked_by_the_whole_chain(exam):
    rows, _, exams = exam
    scores = {
        "unsure": sit_exam(AlwaysUnsure(), exams),
        "blind": sit_exam(AnswerWithoutPicture(np.random.default_rng(4)), exams),
        "oracle": sit_exam(oracle(rows), exams),
    }
    assert ranked(scores) == ("oracle", "blind", "unsure")


def test_transcripts_are_json(exam):
    rows, _, exams = exam
    body = json.loads(json.dumps(sit(oracle(rows), exams[0].direct).to_dict()))
    assert [turn["verdict"] for turn in body["turns"]] == ["true"] * len(exams[0].direct)


def test_a_wrong_stated_value_costs_the_refined_score_only(exam):
    rows, _, exams = exam
    honest = oracle(rows)

    def agent(item: Item, before):
        return tuple(reply.replace("VALUE: ", "VALUE: 9") for reply in honest(item, before))

    valued = [e for e in exams if e.direct[-1].reference]
    scores = sit_exam(agent, valued)
    assert scores.stage_score == 4.0
    assert scores.refined.stage_score == 2.0
    assert scores.refined.value.naive == 0.0
    assert scores.refined.binary.naive == 0.0


def test_a_stage_is_asked_only_after_the_one_before(exam):
    rows, _, exams = exam
    honest = oracle(rows)
    for missed in ("criteria", "bodypart", "measurement"):

        def agent(item: Item, before, missed=missed):
            if item.stage == missed:
                return (f"FINAL ANSWER: {next(o for o in item.options if o != item.options[item.answer])}",)
            return honest(item, before)

        transcript = sit(agent, exams[0].direct)
        assert transcript.turns[-1].item.stage == missed
        assert transcript.verdict("final") is None


def test_a_wrong_first_answer_goes_on_and_counts_against_consistency(exam):
    rows, _, exams = exam
    honest = oracle(rows)

    def agent(item: Item, before):
        if item.stage == "init":
            return ("FINAL ANSWER: " + ("No" if item.options[item.answer] == "Yes" else "Yes"),)
        return honest(item, before)

    scores = sit_exam(agent, exams)
    assert scores.stages["init"].naive == 0.0
    assert scores.stage_score == 4.0
    assert scores.consistency.naive == 0.0


def test_hand_counted_scores():
    """Ten cases: 2 unsure, 3 stop at the rule, 2 at the structure, 1 at the measurement, 2 reach the end."""
    plan = ["idk"] * 2 + ["criteria"] * 3 + ["bodypart"] * 2 + ["measurement"] + ["none"] * 2
    row = measure_radiograph(RadiographMasks(SchematicChest().draw(300), view="PA"))["cardiomegaly"]
    shown = shown_regions(RadiographMasks(SchematicChest().draw(300)))
    transcripts = []
    for i, stop in enumerate(plan):
        items = direct_items(row, f"c{i}", shown, np.random.default_rng(i))

        def agent(item: Item, _before, stop=stop):
            if stop == "idk":
                return ("I don't know",)
            wrong = next(o for o in item.options if o != item.options[item.answer])
            return (f"VALUE: {row.index:.4f} FINAL ANSWER: " + (wrong if item.stage == stop else item.right),)

        transcripts.append(sit(agent, items))
    scores = score(transcripts)
    assert (scores.decision.successes, scores.decision.trials) == (8, 10)
    assert {s: (p.successes, p.trials) for s, p in scores.stages.items()} == {
        "init": (8, 10),
        "criteria": (5, 8),
        "bodypart": (3, 5),
        "measurement": (2, 3),
        "final": (2, 2),
    }
    assert (scores.binary.successes, scores.binary.trials) == (2, 8)
    assert scores.stage_score == pytest.approx((3 * 0 + 2 * 1 + 1 * 2 + 2 * 4) / 8)
    assert (scores.consistency.successes, scores.consistency.trials) == (2, 2)


def test_items_as_json_lines_and_pictures(exam, tmp_path):
    _, masks, exams = exam
    lines = to_json(exams[:3]).splitlines()
    assert all({"question", "options", "answer", "img_path", "stage"} <= set(json.loads(line)) for line in lines)
    one = exams[0]
    paths = write_pictures(one.direct, np.full((300, 300), 0.5), masks[one.case], tmp_path)
    assert {str(p.relative_to(tmp_path)) for p in paths} == {name for item in one.direct for name in item.img_path}
    tinted = np.asarray(Picture.open(next(p for p in paths if p.stem != "radiograph")))
    assert (tinted[..., 0] > tinted[..., 1]).any()


def test_unlabelled_rows_make_no_items():
    row = measure_radiograph(RadiographMasks(SchematicChest(cardiothoracic_ratio=0.52).draw(300)))["cardiomegaly"]
    with pytest.raises(InputError):
        direct_items(row, "c", ("lungs",), np.random.default_rng(0))
