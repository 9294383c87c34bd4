"""Motion of the head in MR: simulated line by line in k-space, with its severity known."""

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "CHANGES": "contrast",
    "ContrastChange": "contrast",
    "LEVELS": "contrast",
    "MOTIONS": "slices",
    "MotionSlice": "slices",
    "Trajectory": "trajectory",
    "change_contrast": "contrast",
    "corrupt_slice": "slices",
    "draw_contrast_change": "contrast",
    "few_poses": "trajectory",
    "moved_kspace": "simulate",
    "padded": "simulate",
    "per_line": "trajectory",
    "random_trajectory": "trajectory",
    "still": "trajectory",
    "to_image": "fourier",
    "to_kspace": "fourier",
    "with_ghosts": "ghosting",
    "with_motion": "simulate",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
