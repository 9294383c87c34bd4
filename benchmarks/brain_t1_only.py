"""Train the network that `brain_agreement.py` compares with: the same recipe, but every image has one T1-like contrast.

    python benchmarks/brain_t1_only.py FOLDER [STEPS]

Then `brain_agreement.py --model FOLDER`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from groundglass.segmentation.brain_mr_training import train
from groundglass.synthesis.brain_contrast import t1_contrast


def main() -> None:
    """Print the last loss."""
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else None
    contrast = t1_contrast(np.random.default_rng(0))
    print(train(Path(sys.argv[1]), steps=steps, draw=lambda _: contrast))


if __name__ == "__main__":
    main()
