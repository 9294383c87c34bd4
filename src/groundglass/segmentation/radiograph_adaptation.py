"""Pseudo-labels for real radiographs: the network's own masks, kept where they are confident and of a sane shape.

Self-training without labels (Lee, ICML workshop 2013; mean-teacher weights, arXiv 1703.01780). The teacher is the
averaged network, asked on three scales; what it says about a structure is trusted as a whole or not
at all, by rules of anatomy, and pixel by pixel by its probability.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.segmentation.radiograph_batches import PseudoLabels
from groundglass.segmentation.radiograph_labels import LABELS
from groundglass.synthesis import radiograph_appearance as looks

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
SCALES = (1.0, 0.875, 1.125)


def probabilities(model: torch.nn.Module, pictures: NDArray[np.float32]) -> Float:
    """(B, S, S) pictures in [0, 1] -> (B, K, S/2, S/2), the mean over three scales about the centre."""
    image = torch.from_numpy((pictures - 0.5) / 0.25).float()[:, None].contiguous(memory_format=torch.channels_last)
    total = None
    with torch.no_grad():
        for scale in SCALES:
            seen = image if scale == 1.0 else _zoomed(image, scale)
            answer = model(seen).float().sigmoid()
            answer = answer if scale == 1.0 else _zoomed(answer, 1 / scale)
            total = answer if total is None else total + answer
    assert total is not None
    return np.asarray(total / len(SCALES))


def _zoomed(image: torch.Tensor, scale: float) -> torch.Tensor:
    matrix = torch.tensor([[[scale, 0.0, 0.0], [0.0, scale, 0.0]]]).expand(len(image), 2, 3)
    grid = torch.nn.functional.affine_grid(matrix, list(image.shape), align_corners=False)
    return torch.nn.functional.grid_sample(image, grid, padding_mode="border", align_corners=False)


def pseudo_labels(model: torch.nn.Module, pictures: NDArray[np.uint8]) -> PseudoLabels:
    """Labels of all pictures; those whose lungs and heart are not sane are left out."""
    model.eval()
    kept, said, trusted = [], [], []
    for start in range(0, len(pictures), 8):
        block = np.stack([looks.stretch(p.astype(np.float32) / 255) for p in pictures[start : start + 8]])
        for picture, answer in zip(pictures[start : start + 8], probabilities(model, block), strict=True):
            kept_maps = np.stack([cleaned(name, p) for name, p in zip(LABELS, answer, strict=True)])
            if main_structures_sane(kept_maps > 0.5):
                kept.append(picture)
                said.append((kept_maps * 255).astype(np.uint8))
                trusted.append(_trust(kept_maps))
    return PseudoLabels(np.stack(kept), np.stack(said), np.stack(trusted))


def main_structures_sane(masks: Bool) -> bool:
    """Lungs on their own sides of each other, of plausible area, solidity and likeness, the heart between and below.

    `masks` (K, h, w) in the order of LABELS; areas are judged relative to the picture.
    """
    from skimage.measure import label, regionprops

    left, right, heart = masks[0], masks[1], masks[2]
    areas = [m.mean() for m in (left, right, heart)]
    if not (0.03 < areas[0] < 0.35 and 0.03 < areas[1] < 0.35 and 0.015 < areas[2] < 0.3):
        return False
    if not 0.45 < areas[0] / areas[1] < 2.0 or (left & right).mean() > 0.01:
        return False
    centres = [np.argwhere(m).mean(axis=0) for m in (left, right, heart)]
    if not centres[1][1] < centres[2][1] < centres[0][1] or centres[2][0] < min(centres[0][0], centres[1][0]):
        return False
    solid = [max(regionprops(label(m)), key=lambda r: r.area).solidity for m in (left, right, heart)]
    return bool(solid[0] > 0.8 and solid[1] > 0.85 and solid[2] > 0.88)


# The heart and the mediastinum as readers draw them have no narrow outgrowths: hilar vessels are cut off by an opening.
SMOOTH = ("heart", "mediastinum")
WHOLE = (*SMOOTH, "left lung", "right lung", "spine", "left clavicle", "right clavicle")


def cleaned(name: str, probability: Float) -> Float:
    """One label's map with what anatomy does not allow put to nothing: second regions, hilar outgrowths of the
    heart."""
    if name not in WHOLE:
        return probability
    whole = _largest(probability)
    return _opened(whole) if name in SMOOTH else whole


def _opened(probability: Float) -> Float:
    """The map without what an opening by a disc (a fifth of the region's width) removes; the edge itself is kept
    soft."""
    from scipy.ndimage import binary_dilation, binary_opening
    from skimage.morphology import disk

    inside = probability > 0.5
    width = np.flatnonzero(inside.any(axis=0))
    if width.size < 10:
        return probability
    kept = binary_opening(inside, disk(max(2, round(np.ptp(width) * 0.09))))
    return np.where(inside & ~binary_dilation(kept, iterations=2), 0.0, probability).astype(np.float32)


def _trust(answer: Float) -> Float:
    """(K,) weight per label: how far the label's own pixels are from doubt; nothing for a label that is barely seen."""
    trust = np.zeros(len(LABELS), dtype=np.float32)
    for k, p in enumerate(answer):
        inside = p > 0.5
        sure = float(p[inside].mean()) if inside.sum() > 12 else 0.0
        trust[k] = np.clip((sure - 0.6) / 0.3, 0, 1)
    trust[:4] = np.maximum(trust[:4], 0.5)
    return trust


def _largest(probability: Float) -> Float:
    """The probability map with all but its largest region above one half put to nothing."""
    from scipy.ndimage import binary_dilation, label

    regions, count = label(probability > 0.5)
    if count < 2:
        return probability
    sizes = np.bincount(regions.ravel())
    sizes[0] = 0
    keep = binary_dilation(regions == sizes.argmax(), iterations=3)
    return np.where((probability > 0.5) & ~keep, 0.0, probability).astype(np.float32)
