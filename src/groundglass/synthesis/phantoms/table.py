"""The scanner's couch."""

from __future__ import annotations

import numpy as np

from groundglass.synthesis.phantoms.canvas import Scene
from groundglass.synthesis.phantoms.torso import Torso


def paint_table(scene: Scene, torso: Torso, rng: np.random.Generator) -> None:
    """The scanner's couch under the back: a curved shell of carbon fibre round foam."""
    window = scene.canvas.whole
    x, y, _ = scene.canvas.coordinates(window)
    back = -torso.thorax.depth - 0.8 * torso.thorax.wall - rng.uniform(4, 10)
    radius = 420.0
    depth = np.hypot(x, y - (back + radius)) - radius
    shell = np.maximum(np.abs(depth - 9) - 9, np.abs(x) - 200).astype(np.float32)[:, :, 0]
    share = scene.coverage(shell)
    rows, columns = np.nonzero((share > 0) & (depth[:, :, 0] > 1.0))
    rim = np.abs(np.abs(depth[rows, columns, 0] - 9) - 9) < 2.0
    value = np.where(rim, -250.0, -930.0).astype(np.float32)[:, None]
    held = scene.values[rows, columns]
    scene.values[rows, columns] = np.where(held < -950, held + share[rows, columns, None] * (value - held), held)
