"""The package medmnistc on some pictures: `python medmnistc_pictures.py INPUT.npz OUTPUT.npz SET`.

INPUT: `pictures` (N, 224, 224, 3) uint8. OUTPUT: `KIND` (5, N, 224, 224, 3) for each kind of SET that needs no
ImageMagick.
"""

import sys
import types

import numpy as np
from PIL import Image

try:
    import wand.image  # noqa: F401
except ImportError:
    # Without ImageMagick the package does not import; its motion blur is then not called.
    for name in ("wand", "wand.image", "wand.api"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["wand.image"].Image = object  # type: ignore[attr-defined]
    sys.modules["wand.api"].library = None  # type: ignore[attr-defined]

from medmnistc.corruptions.registry import CORRUPTIONS_DS

pictures = np.load(sys.argv[1])["pictures"]
made = {}
for kind, corruption in CORRUPTIONS_DS[sys.argv[3]].items():
    if kind in ("motion_blur", "stain_deposit"):
        continue
    corruption.rng = np.random.default_rng(0)
    levels = [[corruption.apply(Image.fromarray(p), severity) for p in pictures] for severity in range(5)]
    made[kind] = np.asarray(levels, dtype=np.uint8)
np.savez(sys.argv[2], **made)
