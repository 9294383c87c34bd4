"""Names and shapes of the published checkpoint's parameters."""

from __future__ import annotations

import json
from importlib.resources import files


def published_layout() -> dict[str, tuple[int, ...]]:
    """Parameter name -> shape of SAM-Med3D (`sam_med3d_turbo.pth`, model vit_b_ori), in the order of its modules."""
    text = files("groundglass.nets.volume_sam").joinpath("data", "sam_med3d_turbo.json").read_text("utf-8")
    return {name: tuple(shape) for name, shape in json.loads(text).items()}
