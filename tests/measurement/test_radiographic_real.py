"""The recipes on masks that radiologists drew on real films."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from groundglass.measurement.radiographic import RadiographMasks, measure_radiograph

NAMES = {
    "left_lung": "left lung",
    "right_lung": "right lung",
    "cardiomediastinum": "heart",
    "airways": "trachea",
}


@pytest.fixture(scope="module")
def films(data: Path) -> dict[str, dict[str, np.ndarray]]:
    found: dict[str, dict[str, np.ndarray]] = {}
    for path in sorted((data / "cxr-covid-open" / "structure_masks").glob("*.png")):
        image, structure = path.stem.split("__")
        if structure in NAMES:
            mask = np.asarray(Picture.open(path).convert("L")) > 127
            found.setdefault(image, {})[NAMES[structure]] = mask
    return found


def test_cardiothoracic_ratio_on_drawn_masks(films):
    """The cardiomediastinum is widest at the heart, so that the ratio has its plain definition."""
    measured, reasons = [], []
    for masks in films.values():
        row = measure_radiograph(RadiographMasks(masks, view="PA"))["cardiomegaly"]
        if not row.is_measured:
            reasons.append(row.dropped)
            continue
        heart = np.flatnonzero(masks["heart"].any(axis=0))
        lungs = masks["left lung"] | masks["right lung"]
        chest = max(np.ptp(np.flatnonzero(line)) + 1 for line in lungs if line.any())
        measured.append((row.index, (np.ptp(heart) + 1) / chest))
    ours, plain = np.array(measured).T
    assert len(films) == 30
    assert len(ours) == 27
    assert all("no mask" in reason or "cut by the side" in reason for reason in reasons)
    assert np.abs(ours - plain).max() < 0.02
    assert ((ours > 0.35) & (ours < 0.65)).all()


def test_no_film_is_taken_for_mirrored(films):
    for masks in films.values():
        for row in measure_radiograph(RadiographMasks(masks)).values():
            assert "does not lie to the left" not in row.dropped
