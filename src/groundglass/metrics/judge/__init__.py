"""Judges of reports: what they are asked, one that asks a chat endpoint, and how far two of them disagree."""

from __future__ import annotations

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "ERROR_KINDS": "protocol",
    "Agreement": "disagreement",
    "ChatEndpoint": "chat",
    "Corners": "protocol",
    "Disagreement": "disagreement",
    "EndpointJudge": "endpoint",
    "Entailment": "protocol",
    "ErrorKind": "protocol",
    "FailedQuestion": "transcripts",
    "GreenCounts": "protocol",
    "Judge": "protocol",
    "JudgeError": "protocol",
    "Phrase": "protocol",
    "Price": "usage",
    "ReportError": "protocol",
    "Transcript": "transcripts",
    "TranscriptStore": "transcripts",
    "Usage": "usage",
    "Verdict": "protocol",
    "ask_all": "protocol",
    "compare_errors": "disagreement",
    "entailment_disagreement": "disagreement",
    "error_disagreement": "disagreement",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
