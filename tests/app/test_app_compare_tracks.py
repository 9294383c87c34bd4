"""`compare tracks`: golden values of TrackRAD2025 and PitVis-2023 from files, and rows that are missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from compare_cases import document, problem, save_table, summary, values


def disc(shift: int) -> np.ndarray:
    rows, columns = np.indices((128, 128))
    return (((rows - 64 - shift) ** 2 + (columns - 64) ** 2) <= 100).astype(np.uint8)


def save_series(path: Path, frames: list[np.ndarray]) -> Path:
    """As the challenge stores them: time is the first axis of the file, the last of SimpleITK's array."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(np.stack(frames, axis=-1))
    image.SetSpacing((5, 1, 1))
    sitk.WriteImage(image, str(path), useCompression=True)
    return path


# Card values: Dice, HD95, ASD, CD, D98 at sigma 4 of a disc that moves by A sin(2 pi t / 20) and is not tracked.
GOLDEN = {4: (0.8505, 2.4, 1.4378, 2.4, 1.0), 8: (0.6946, 5.0, 2.9048, 5.0, 0.8167)}


def test_golden_values_of_trackrad(tmp_path: Path) -> None:
    for amplitude in GOLDEN:
        shifts = [round(amplitude * np.sin(2 * np.pi * t / 20)) for t in range(21)]
        save_series(tmp_path / "t" / f"A_{amplitude:03}_labels.mha", [disc(shift) for shift in shifts])
        save_series(tmp_path / "p" / f"A_{amplitude:03}_labels.mha", [disc(0)] * 21)
    arguments = (tmp_path / "p", tmp_path / "t", "--case-from", r"A_\d+", "--resamples", "200")
    result = document("tracks", *arguments)
    for amplitude, golden in GOLDEN.items():
        for metric, value in zip(
            ("dsc", "hd95", "asd_to_truth", "centre_distance", "relative_d98"), golden, strict=True
        ):
            assert values(result, metric, "all")[f"A_{amplitude:03}"] == pytest.approx(value, abs=1e-3), metric
    (tmp_path / "p" / "A_008_labels.mha").unlink()
    assert "no prediction for 1 case(s): A_008" in problem("tracks", *arguments)
    worst = document("tracks", *arguments, "--allow-missing", "worst")
    assert values(worst, "dsc", "all")["A_008"] == 0
    assert values(worst, "hd95", "all")["A_008"] == 128
    save_series(tmp_path / "p" / "A_008_labels.mha", [disc(0)] * 20)
    broken = document("tracks", *arguments, code=1)
    assert "have different shapes" in broken["methods"][0]["failures"][0]["reason"]


def test_golden_values_of_pitvis(tmp_path: Path) -> None:
    steps = [-1, 0, 0, 1, 1, 2, 2, 2, 11, 3, 3, -1], [0, 0, 1, 1, 1, 2, 4, 2, 3, 3, 3, 0]
    for name, column in zip(("t", "p"), steps, strict=True):
        save_table(tmp_path / name / "video_01.csv", ["int_time", "int_step"], enumerate(column))
    result = document("tracks", tmp_path / "p", tmp_path / "t")
    assert summary(result, "step_macro_f1")["mean"] == pytest.approx(0.653333, abs=1e-6)
    assert summary(result, "step_edit")["mean"] == pytest.approx(0.666667, abs=1e-6)
    assert summary(result, "step_score")["mean"] == pytest.approx(0.66)
    header = ["int_time", "int_instrument1", "int_instrument2"]
    truth = [[5, -2], [5, -2], [7, -2], [7, 5]]
    said = [[5, -2], [6, -2], [7, -2], [7, 5]]
    for name, rows in (("t", truth), ("p", said)):
        save_table(tmp_path / f"i{name}" / "video_01.csv", header, [[n, *row] for n, row in enumerate(rows)])
    aligned = document("tracks", tmp_path / "ip", tmp_path / "it")
    official = document("tracks", tmp_path / "ip", tmp_path / "it", "--variant", "script")
    assert summary(aligned, "instrument_score")["mean"] == pytest.approx(0.88)
    assert summary(official, "instrument_score")["mean"] == pytest.approx(0.48)


def test_named_phases_and_missing_seconds(tmp_path: Path) -> None:
    phases = ["access"] * 4 + ["excision"] * 4 + ["closure"] * 2
    t = save_table(tmp_path / "t.csv", ["time", "phase"], enumerate(phases))
    p = save_table(tmp_path / "p.csv", ["time", "phase"], enumerate(phases[:5] + ["closure"] * 5))
    result = document("tracks", p, t)
    assert summary(result, "accuracy")["mean"] == pytest.approx(0.7)
    assert "PitVis' steps are numbers" in problem("tracks", p, t, "--metrics", "step_score")
    save_table(p, ["time", "phase"], list(enumerate(phases))[:8])
    text = problem("tracks", p, t)
    assert "has no row for 2 second(s)" in text
    assert summary(document("tracks", p, t, "--allow-missing", "skip"), "accuracy")["mean"] == 1
    assert summary(document("tracks", p, t, "--allow-missing", "worst"), "accuracy")["mean"] == pytest.approx(0.8)
    save_table(p, ["time", "phase"], [[0, "access"], [0, "access"]])
    assert "line 3: gives second 0 again" in problem("tracks", p, t)
    save_table(p, ["time", "colour"], [[0, "red"]])
    assert "has no column int_step" in problem("tracks", p, t)
    assert "is not known" in problem("tracks", p, t, "--variant", "mine")
