"""Whatever a segmenter returns, a recipe measures it or says why not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from groundglass.measurement.radiographic import (
    RECIPES,
    RadiographMasks,
    biases,
    measure_radiograph,
    row_findings,
    unmeasured,
)
from groundglass.synthesis.schematic_chest import SchematicChest

SIZE = 120

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def damage(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of: a ragged edge, a missing band, a shift, only noise, one row, one pixel, nothing, everything."""
    kind = rng.integers(8)
    if kind == 0:
        return gaussian_filter(mask.astype(float), 2) + 0.3 * rng.normal(size=mask.shape) > 0.5
    if kind == 1:
        out, start = mask.copy(), int(rng.integers(SIZE))
        out[start : start + int(rng.integers(1, 40))] = False
        return out
    if kind == 2:
        return np.roll(mask, tuple(rng.integers(-40, 40, 2)), axis=(0, 1))
    if kind == 3:
        return rng.random(mask.shape) > rng.random()
    out = np.zeros_like(mask)
    if kind == 4:
        out[int(rng.integers(SIZE)), 20:90] = True
    elif kind == 5:
        out[tuple(rng.integers(SIZE, size=2))] = True
    elif kind == 6:
        out[:] = True
    return out


@pytest.mark.parametrize("seed", range(40))
def test_damaged_masks_give_rows_or_reasons(seed):
    rng = np.random.default_rng(seed)
    masks = SchematicChest().draw(SIZE)
    for name in rng.choice(sorted(masks), size=int(rng.integers(1, len(masks))), replace=False):
        if rng.random() < 0.2:
            del masks[name]
        else:
            masks[name] = damage(masks[name], rng)
    if not masks:
        return
    rows = measure_radiograph(RadiographMasks(masks, (1.0, 1.0), ("PA", "AP", None)[seed % 3]))
    assert set(rows) == {recipe.task for recipe in RECIPES}
    for task, row in rows.items():
        assert bool(row.dropped) != row.is_measured
        if row.is_measured:
            assert np.isfinite(row.index), task
            assert all(np.isfinite(point).all() for line in row.landmarks for point in line.points), task
        biases(rows, task)
    assert len(row_findings(rows, image="film")) + len(unmeasured(rows)) == len(RECIPES)


def test_tiny_pictures_are_measured_or_dropped():
    for size in (1, 2, 5, 9, 17):
        measure_radiograph(RadiographMasks(SchematicChest().draw(size), view="PA"))
