"""Targets in cine MRI (TrackRAD2025) and workflow in surgical video (PitVis-2023, phases).

Where an official script departs from its paper or has a fault, both figures can be had: `variant="script"` is what
the script computes, the default what was meant. Each function says where they differ.
"""

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "FrameScores": "frames",
    "INSTRUMENTS": "instruments",
    "Latency": "timing",
    "NOT_SCORED": "steps",
    "Segment": "segments",
    "StepScores": "steps",
    "WorkflowScores": "workflow",
    "edit_score": "segments",
    "frame_scores": "frames",
    "instrument_f1": "instruments",
    "latency": "timing",
    "levenshtein": "segments",
    "multitask_score": "steps",
    "relative_d98": "target_dose",
    "segment_f1": "segments",
    "segments_of": "segments",
    "step_scores": "steps",
    "time_per_frame": "timing",
    "trackrad_scores": "frames",
    "workflow_scores": "workflow",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
