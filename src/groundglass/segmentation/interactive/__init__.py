"""Interactive segmentation of any structure: clicks, scribbles and boxes, 2D and 3D."""

from __future__ import annotations

from groundglass.core.lazy import lazy_exports

# name -> module; loaded at first use.
_EXPORTS = {
    "ClassicalEngine": "engine",
    "Engine": "engine",
    "DeepGrowEngine": "deepgrow",
    "PlaneEngine": "plane_answer",
    "Prompt": "prompt",
    "SamEngine": "sam",
    "Session": "session",
    "View": "engine",
    "default_engine": "network",
    "VolumeEngine": "volume_engine",
    "VolumeSamEngine": "volume_engine",
    "export_onnx": "network",
    "guidance_map": "guidance",
    "named_engine": "published",
    "onnx_engine": "network",
    "sam_engine": "sam",
    "sam_med3d_engine": "volume_engine",
    "scribbleprompt_engine": "scribbleprompt",
    "torch_engine": "network",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
