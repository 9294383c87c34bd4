"""Made-up staging reports of lymphoma in two halves of wordings: a reader learns from one and is tested on the other.

Every item is told by a frame ("The spleen is ...") with words for its value ("swollen"). A frame and a value's words
that stand together in one half never do so in the other, but each of them stands in both: what is unseen is how
things are said, not the vocabulary. About half of the words are ones that the rules' lists do not hold, as in
dictation. Free text is planted too: its reference is the phrase, without the frame, and no phrase is in both halves.
English.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Literal, TypeVar

import numpy as np

from groundglass.text.structured.planted import FILLERS, PlantedReport, written

T = TypeVar("T")
Half = Literal["first", "second"]
Ways = tuple[Sequence[str], Sequence[str]]
"""Frames with `{}` for the words of a value, and those words."""

_YES = ("There is", "We see", "Evidence of", "Presence of", "Obvious", "Positive for")
_NO = ("No", "There is no", "Absence of", "Free of", "Negative for", "We miss any")
_LARGE = ("enlarged", "increased in size", "swollen", "too large", "bigger than normal", "above the upper limit")
_USUAL = ("normal in size", "unremarkable", "not enlarged", "of regular dimensions", "within limits", "as expected")
_FLUID = (
    "Pleural effusion {}.",
    "There is a pleural effusion {}.",
    "A pleural effusion lies {}.",
    "Some pleural effusion {}.",
)
_OUTCOME = ("{}.", "The conclusion is {}.", "Overall {}.", "This amounts to {}.")
_SCORE = ("Deauville score {}.", "The Deauville score is {}.", "Deauville {}.", "Rated {} on the Deauville scale.")
_STAGE = ("Stage {}.", "Ann Arbor {}.", "Ann Arbor stage {}.", "Disease of stage {}.")


def _said(noun: str, cues: Sequence[str]) -> Ways:
    return (
        f"{{}} {noun}.",
        f"{{}} {noun} at this time.",
        f"Now {{}} {noun}.",
        f"{{}} {noun} in this examination.",
    ), cues


def _sized(noun: str, cues: Sequence[str]) -> Ways:
    return (f"The {noun} is {{}}.", f"{noun}: {{}}.", f"The {noun} appears {{}}.", f"The {noun} remains {{}}."), cues


def _yes_no(noun: str) -> dict[str, Ways]:
    return {"yes": _said(noun, _YES), "no": _said(noun, _NO)}


CHOICES: Mapping[str, Mapping[str, Ways]] = {
    "bulky disease": _yes_no("bulky disease"),
    "splenic lesions": _yes_no("splenic lesions"),
    "pericardial effusion": _yes_no("pericardial effusion"),
    "ascites": _yes_no("ascites"),
    "spleen": {"enlarged": _sized("spleen", _LARGE), "normal": _sized("spleen", _USUAL)},
    "liver": {"enlarged": _sized("liver", _LARGE), "normal": _sized("liver", _USUAL)},
    "pleural effusion": {
        "none": _said("pleural effusion", _NO),
        "left": (_FLUID, ("on the left", "at the left base", "in the left chest")),
        "right": (_FLUID, ("on the right", "at the right base", "in the right chest")),
        "bilateral": (_FLUID, ("bilaterally", "on both sides", "in either chest")),
    },
    "response": {
        "complete response": (_OUTCOME, ("complete response", "complete remission", "full remission", "healing")),
        "partial response": (_OUTCOME, ("partial response", "partial remission", "incomplete response", "shrinkage")),
        "stable disease": (_OUTCOME, ("stable disease", "no change", "a standstill", "an unchanged picture")),
        "progressive disease": (_OUTCOME, ("progressive disease", "disease progression", "further spread", "relapse")),
    },
    "Deauville score": {str(n): (_SCORE, (str(n), word)) for n, word in enumerate(("one", "two", "three", "four"), 1)},
    "Ann Arbor stage": {
        stage: (_STAGE, (stage, word))
        for stage, word in zip(("I", "II", "III", "IV"), ("one", "two", "three", "four"), strict=True)
    },
}
"""Item -> value -> how it is said."""

LENGTHS: Mapping[str, Sequence[str]] = {
    "spleen length": (
        "The spleen measures {}.",
        "Length of the spleen: {}.",
        "The spleen is {} long.",
        "A spleen of {}.",
    ),
    "liver length": ("The liver measures {}.", "Length of the liver: {}.", "The liver is {} long.", "A liver of {}."),
}
_SHAPES = ("a small", "a large", "a simple", "an old")
TEXTS: Mapping[str, tuple[Sequence[str], Sequence[Sequence[str]]]] = {
    "indication": (
        (
            "The examination was asked for {}.",
            "The clinical question is {}.",
            "Requested because of {}.",
            "Reason: {}.",
        ),
        (
            ("staging of", "restaging of", "control of"),
            ("Hodgkin lymphoma", "follicular lymphoma", "mantle cell lymphoma", "Burkitt lymphoma"),
            ("before treatment", "after chemotherapy", "after radiotherapy", "under immunotherapy"),
        ),
    ),
    "kidneys described": (
        ("The kidneys show {}.", "Kidneys: {}.", "In the kidneys there is {}.", "Renal finding: {}."),
        (
            _SHAPES,
            ("cyst", "stone", "scar", "angiomyolipoma"),
            ("of the upper pole", "of the lower pole", "in its middle"),
        ),
    ),
    "lungs described": (
        ("The lungs show {}.", "Lungs: {}.", "In the lungs there is {}.", "Pulmonary finding: {}."),
        (
            _SHAPES,
            ("nodule", "band", "infiltrate", "bulla"),
            ("in the upper lobe", "in the lower lobe", "near the hilum"),
        ),
    ),
    "bones described": (
        ("The bones show {}.", "Bones: {}.", "In the bones there is {}.", "Skeletal finding: {}."),
        (_SHAPES, ("fracture", "defect", "island", "haemangioma"), ("of the spine", "of a rib", "of the pelvis")),
    ),
}
"""Item -> frames, and the parts that its phrases are made of."""

_WORDS = sorted(
    {word for _, parts in TEXTS.values() for part in parts for said in part for word in said.split()}
    | {word for sentence in FILLERS["en"] for word in sentence.lower().strip(".").split()}
)
"""Words of free texts and of sentences that answer nothing."""

ITEMS = (*CHOICES, *LENGTHS, *TEXTS)


def paraphrased_report(
    rng: np.random.Generator, *, half: Half, fillers: int = 0, stated: float = 0.6, jumbled: float = 0.0
) -> PlantedReport:
    """A report that states each item with the chance `stated` in a wording of `half`, and holds `fillers` besides.

    The share `jumbled` of its free texts is words in any order, for training: who learns such a phrase by heart has
    learnt nothing, so that a reader learns to copy.
    """
    values: dict[str, str] = {}
    said: list[tuple[str, tuple[str, ...]]] = []
    for item in ITEMS:
        if rng.random() < stated:
            strange = item in TEXTS and rng.random() < jumbled
            values[item], sentence = _jumbled(item, rng) if strange else _stated(item, half, rng)
            said.append((sentence[0].upper() + sentence[1:], (item,)))
    said += [(_pick(FILLERS["en"], rng), ()) for _ in range(fillers)]
    return written([said[i] for i in rng.permutation(len(said))], "en", values)


def wordings(item: str, value: str, half: Half) -> list[str]:
    """Every sentence of a half that states this choice."""
    frames, cues = CHOICES[item][value]
    return [frames[i].format(cues[j]) for i, j in _cells(half, frames, cues)]


def _stated(item: str, half: Half, rng: np.random.Generator) -> tuple[str, str]:
    """A value of the item, and the sentence that says it."""
    if item in CHOICES:
        value = _pick(list(CHOICES[item]), rng)
        return value, _pick(wordings(item, value, half), rng)
    if item in LENGTHS:
        length = int(rng.integers(80, 220))
        written_as = (f"{length} mm", f"{length / 10:.1f} cm")
        i, j = _pick(_cells(half, LENGTHS[item], written_as), rng)
        return str(length), LENGTHS[item][i].format(written_as[j])
    frames, parts = TEXTS[item]
    phrase = " ".join(part[i] for part, i in zip(parts, _pick(_cells(half, *parts), rng), strict=True))
    return phrase, _pick(frames, rng).format(phrase)


def _jumbled(item: str, rng: np.random.Generator) -> tuple[str, str]:
    """Two to six words without sense in a frame of the item, and the sentence."""
    phrase = " ".join(rng.choice(_WORDS, size=int(rng.integers(2, 7))).tolist())
    return phrase, _pick(TEXTS[item][0], rng).format(phrase)


def _cells(half: Half, *parts: Sequence[str]) -> list[tuple[int, ...]]:
    """Positions of which the sum is even (first half) or odd: every part stands in both halves."""
    odd = half == "second"
    return [at for at in product(*(range(len(part)) for part in parts)) if (sum(at) % 2 == 1) == odd]


def _pick(options: Sequence[T], rng: np.random.Generator) -> T:
    return options[int(rng.integers(len(options)))]
