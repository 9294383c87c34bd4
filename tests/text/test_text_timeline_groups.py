"""Groups and episodes: planted patients with known truth, and rules one by one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from groundglass.core import InputError
from groundglass.text import timeline
from groundglass.text.timeline import DatedReport, PatientTimeline
from groundglass.text.timeline.agreement import adjusted_rand, boundary_f1, pairwise_f1
from groundglass.text.timeline.planted import planted_patient


def patient(*reports: tuple[str, str]) -> PatientTimeline:
    return timeline.patient_timeline([DatedReport(f"s{i}", day, text) for i, (day, text) in enumerate(reports, 1)])


def groups(made: PatientTimeline) -> list[tuple[str, int]]:
    return [(row.group, row.episode) for row in made.rows]


def test_planted_patients_are_grouped_and_split_as_they_were_made() -> None:
    rng = np.random.default_rng(77)
    pairs, borders, strings = [], [], []
    for _ in range(200):
        planted = planted_patient(rng)
        made = timeline.patient_timeline(planted.reports)
        rows = {(row.study.sequence - 1, row.sentence): row for row in made.rows}
        count: Counter[int] = Counter()
        found, truth = [], []
        for mention in planted.mentions:
            count[mention.study] += 1
            found.append(rows[mention.study, count[mention.study]])
            truth.append(mention.condition)
        assert len(found) == len(made.rows)
        pairs.append(pairwise_f1([row.group for row in found], truth))
        strings.append(pairwise_f1([f"{row.side} {row.place} {row.entity.casefold()}" for row in found], truth))
        known = [(mention.condition, mention.episode) for mention in planted.mentions]
        borders.append(boundary_f1([(row.group, row.episode) for row in found], known, truth))
    assert np.mean(pairs) >= 0.95
    assert np.mean(borders) >= 0.90
    assert np.mean(strings) <= np.mean(pairs) - 0.15


def test_synonyms_and_normals_are_one_group() -> None:
    made = patient(("2024-01-01", "Heart size is normal."), ("2024-01-05", "Cardiac enlargement."))
    assert groups(made) == [("cardiomegaly", 0), ("cardiomegaly", 1)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Left lower lobe opacity.", "Left lower lobe pneumonia."),
        ("Left upper lobe nodule.", "Left upper lobe mass."),
        ("Left effusion.", "Right effusion."),
        ("Right upper lobe consolidation.", "Right lower lobe consolidation."),
        ("Endotracheal tube.", "Enteric tube."),
        ("Left effusion.", "Effusion."),
        ("Cough.", "Cough."),
    ],
)
def test_what_may_differ_stays_apart(first: str, second: str) -> None:
    one, other = groups(patient(("2024-01-01", first), ("2024-01-05", second)))
    assert one[0] != other[0]


def test_a_vague_sequel_joins_the_one_group_that_it_can_mean() -> None:
    made = patient(("2024-01-01", "Left upper lobe nodule."), ("2024-01-05", "The nodule is unchanged."))
    assert len({group for group, _ in groups(made)}) == 1
    two = patient(
        ("2024-01-01", "Left upper lobe nodule. Right upper lobe nodule."), ("2024-01-05", "The nodule is unchanged.")
    )
    assert len({group for group, _ in groups(two)}) == 3


def test_a_bilateral_finding_is_one_row_per_side() -> None:
    made = patient(("2024-01-01", "Left effusion."), ("2024-01-05", "Bilateral effusions."))
    assert groups(made) == [("left pleural effusion", 1), ("left pleural effusion", 1), ("right pleural effusion", 1)]


def test_episodes_split_after_a_normal_a_resolution_and_a_long_gap() -> None:
    said = "Left pleural effusion."
    normal = patient(("2024-01-01", said), ("2024-01-05", "No pleural effusion."), ("2024-01-09", said))
    assert [e for g, e in groups(normal) if g == "left pleural effusion"] == [1, 0, 2]
    resolved = patient(("2024-01-01", said), ("2024-01-05", "Left effusion has resolved."), ("2024-01-09", said))
    assert [episode for _, episode in groups(resolved)] == [1, 0, 2]
    gap = patient(("2023-01-01", said), ("2024-01-09", said))
    assert [episode for _, episode in groups(gap)] == [1, 2]
    assert [e for _, e in groups(patient(("2023-01-01", said), ("2023-12-09", said)))] == [1, 1]
    both = patient(
        ("2024-01-01", f"{said} Right pleural effusion."), ("2024-01-05", "No pleural effusion."), ("2024-01-09", said)
    )
    assert ("left pleural effusion", 2) in groups(both)


def test_normals_are_one_episode_and_a_device_too_unless_it_was_removed() -> None:
    normals = patient(("2020-01-01", "No pneumothorax."), ("2024-01-05", "No pneumothorax."))
    assert groups(normals) == [("pneumothorax", 0)] * 2
    device = patient(("2020-01-01", "Endotracheal tube."), ("2024-01-05", "Endotracheal tube."))
    assert groups(device) == [("endotracheal tube", 1)] * 2
    again = patient(
        ("2024-01-01", "Endotracheal tube."),
        ("2024-01-05", "Endotracheal tube has been removed."),
        ("2024-01-07", "Endotracheal tube."),
    )
    assert [episode for _, episode in groups(again)] == [1, 0, 2]


def test_agreement_is_scikit_learn_s_and_hand_counts() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        ours, theirs = rng.integers(0, 4, 12).tolist(), rng.integers(0, 4, 12).tolist()
        assert adjusted_rand(ours, theirs) == pytest.approx(adjusted_rand_score(theirs, ours), abs=1e-12)
    assert pairwise_f1([1, 1, 2], [1, 1, 1]) == pytest.approx(2 * 1 / (1 + 3))
    assert boundary_f1([1, 1, 2, 3], [1, 2, 3, 3], [0, 0, 0, 0]) == pytest.approx(2 * 1 / (2 + 2))
    assert pairwise_f1([], []) == boundary_f1([], [], []) == 1
    with pytest.raises(InputError):
        pairwise_f1([1], [])
