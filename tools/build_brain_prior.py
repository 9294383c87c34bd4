"""Build src/groundglass/segmentation/data/brain_prior_2mm.npz from the label atlas of synthesis (needs nilearn)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nibabel.affines import apply_affine

from groundglass.synthesis.brain_atlases import brain_atlas

TARGET = Path(__file__).parents[1] / "src" / "groundglass" / "segmentation" / "data" / "brain_prior_2mm.npz"


def main() -> None:
    """Shares of each structure in cubes of 2 mm, as bytes."""
    atlas = brain_atlas()
    x, y, z = (n // 2 for n in atlas.labels.shape)
    labels = atlas.labels[: 2 * x, : 2 * y, : 2 * z]
    shares = [
        (labels == value).reshape(x, 2, y, 2, z, 2).mean(axis=(1, 3, 5)) for value in range(int(labels.max()) + 1)
    ]
    affine = atlas.affine.copy()
    affine[:3, 3] = apply_affine(atlas.affine, [0.5, 0.5, 0.5])
    affine[:3, :3] *= 2
    np.savez_compressed(TARGET, shares=np.rint(np.stack(shares) * 255).astype(np.uint8), affine=affine)


if __name__ == "__main__":
    main()
