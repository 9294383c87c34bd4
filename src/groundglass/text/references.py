"""What a sentence points to outside of itself: the exam it compares with, and what it recommends."""

from __future__ import annotations

import re

from groundglass.core import Attribute

_MODALITY = (
    r"(?:low[- ]dose )?(?:chest |thorax |abdominal )?"
    r"(?:pet[-/ ]?ct|ct|mri?|pet|ultrasound|sonography|radiographs?|x-?rays?|films?|mammograms?|mammography)"
)
_DATE = (
    r"(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{2}-\d{2}|\[date\]|yesterday|"
    r"(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]{0,6}\.? \d{1,2},? \d{4}|"
    r"\d{1,2} (?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]{0,6}\.? \d{4})"
)
_PRIOR = r"(?:prior|previous|preceding|earlier|last|most recent|outside|old)"
_NOUN = rf"(?:{_MODALITY}|examinations?|exams?|study|studies|scans?|imaging)"
# A set of first letters comes first, where the search for it is fast; each alternative looks back at its own.
_REFERENCE = re.compile(
    r"[cCrRsStTfFoOiI](?<=\b.)(?i:(?:(?<=c)ompar(?:ed|ison) (?:to|with)|(?<=r)elative to|(?<=s)ince"
    r"|(?<=t)han (?:on|in|at)|(?<=f)rom|(?<=[oi])n) (?:the |a |an )?"
    rf"((?:{_PRIOR} (?:{_NOUN} ?){{0,2}}|{_NOUN} (?=(?:of|from|dated|on) ))"
    rf"(?:(?:of|from|dated|on) (?:the )?{_DATE})?|{_DATE}))"
)
_INTERVAL = re.compile(
    r"\b(\d{1,3}(?:\s?(?:-|–|to)\s?\d{1,3})?|one|two|three|six|twelve)[\s-](day|week|month|year)s?\b", re.IGNORECASE
)
_EXAM = re.compile(rf"\b({_MODALITY})\b", re.IGNORECASE)
_ASKED = re.compile(
    r"\b(bronchoscopy|biopsy|endoscopy|follow[- ]?up|correlation|comparison|evaluation)\b", re.IGNORECASE
)
_IMAGING = re.compile(rf"\b(?:{_MODALITY}|imaging|follow[- ]?up)\b", re.IGNORECASE)


def comparison(sentence: str) -> tuple[Attribute, ...]:
    """`compared with`: the earlier exam that a change refers to, as the sentence words it."""
    match = _REFERENCE.search(sentence)
    return (Attribute("compared with", " ".join(match[1].split())),) if match else ()


def recommendation(sentence: str) -> tuple[str, tuple[Attribute, ...]]:
    """The ontology's name of what a sentence with a recommending word asks for, with `procedure` and `interval`."""
    attributes = []
    asked = _EXAM.search(sentence) or _ASKED.search(sentence)
    if asked:
        attributes.append(Attribute("procedure", " ".join(asked[1].lower().split())))
    interval = _INTERVAL.search(sentence)
    if interval:
        attributes.append(Attribute("interval", " ".join(interval[0].lower().split())))
    name = "follow-up imaging recommendation" if _IMAGING.search(sentence) else "recommendation"
    return name, tuple(attributes)
