"""The patient in a CT: what is body, without couch, clothes and air around."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, binary_dilation, binary_fill_holes, binary_opening, label
from skimage.morphology import convex_hull_image

from groundglass.segmentation.ct_grid import CtGrid

# Skin and fat lie above, couch foam, clothes and lung below.
SKIN_HU = -300.0
# A separate part (an arm, the second leg) is kept from a twentieth of the greatest part on.
_PART = 0.05
# An edge of the field of view with this share of body on it cuts the body.
_CUT = 0.1


def body_coarse(grid: CtGrid) -> NDArray[np.bool_]:
    """The body on the coarse grid, filled (lungs and bowel gas belong to it)."""
    dense = grid.coarse > SKIN_HU
    # A couch top is a thin plate: opening by 8 mm in the axial plane removes it and cuts it off the back.
    opened = binary_opening(dense, grid.disc(8.0))
    labels, count = label(opened)
    if count == 0:
        return opened
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept = np.isin(labels, np.flatnonzero(sizes >= _PART * sizes.max()))
    # What the opening took from the skin comes back; a plate beyond 9 mm does not.
    kept = binary_dilation(kept, grid.disc(9.0)) & dense | kept
    kept = binary_closing(np.pad(kept, ((4, 4), (4, 4), (0, 0))), grid.disc(9.0))[4:-4, 4:-4]
    return np.stack([_filled(kept[:, :, z]) for z in range(kept.shape[2])], axis=2)


def _filled(flat: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Holes filled. Where the field of view cuts the body, air at the border between body parts is inside, too."""
    closed = binary_fill_holes(flat)
    edges = [closed[0, :], closed[-1, :], closed[:, 0], closed[:, -1]]
    cut = sum(float(edge.mean()) > _CUT for edge in edges)
    if cut >= 3:
        return np.asarray(convex_hull_image(closed))
    if cut == 0:
        return closed
    framed = closed.copy()
    for edge in (np.s_[0, :], np.s_[-1, :], np.s_[:, 0], np.s_[:, -1]):
        hit = np.flatnonzero(closed[edge])
        if closed[edge].mean() > _CUT:
            framed[edge][hit[0] : hit[-1] + 1] = True
    return binary_fill_holes(framed)


def body(grid: CtGrid, coarse: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The body at full resolution."""
    return grid.refined(coarse, grid.hu > SKIN_HU)
