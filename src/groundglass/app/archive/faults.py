"""Why the runner gives a study up: errors that no reader raises."""

from __future__ import annotations

from groundglass.core.errors import GroundglassError


class StudyTimeoutError(GroundglassError):
    """A study took longer than it may; its worker was killed."""


class StudyMemoryError(GroundglassError):
    """A study needed more memory than a worker may; its worker was killed."""


class WorkerDiedError(GroundglassError):
    """Each of the workers that read this study died of it (a crash in a decoder, or killed from outside)."""


class TaskError(GroundglassError):
    """A fault of the software itself: an error that is not typed."""
