"""What a network sees of a batch of views: pixels and strokes at full, classical cues at half resolution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundglass.segmentation.interactive.engine import cue_channels

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
# Logits beyond this are as sure as any.
SURE = 8.0


def encode(image: Float, positive: Bool, negative: Bool, box: Float, previous: Float) -> tuple[Float, Float]:
    """`full` (B, 5, H, W): image, positive, negative, box, previous logits in [-1, 1]; `half` (B, 7, H / 2, W / 2): the
    cues. All inputs are (B, H, W)."""
    before = np.clip(previous, -SURE, SURE) / SURE
    full = np.stack([image - 0.5, positive, negative, box, before], axis=1).astype(np.float32)
    return full, cue_channels(image, positive, negative, box)
