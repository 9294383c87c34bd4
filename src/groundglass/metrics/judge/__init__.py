"""Judges of reports: what they are asked, and one that asks a chat endpoint."""

from groundglass.metrics.judge.protocol import (
    ERROR_KINDS,
    Corners,
    Entailment,
    ErrorKind,
    GreenCounts,
    Judge,
    JudgeError,
    Phrase,
    ReportError,
    Verdict,
    ask_all,
)

__all__ = [
    "ERROR_KINDS",
    "Corners",
    "Entailment",
    "ErrorKind",
    "GreenCounts",
    "Judge",
    "JudgeError",
    "Phrase",
    "ReportError",
    "Verdict",
    "ask_all",
]
