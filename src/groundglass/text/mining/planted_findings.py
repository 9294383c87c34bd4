"""Sentences with the eight findings of ChestX-ray8 and how each is meant, written by a grammar.

`far` marks sentences whose denial reaches over a list, a clause or more words than a window holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

NAMES = {
    "Atelectasis": "atelectasis",
    "Cardiomegaly": "cardiomegaly",
    "Effusion": "pleural effusion",
    "Infiltration": "infiltrate",
    "Mass": "mass",
    "Nodule": "nodule",
    "Pneumonia": "pneumonia",
    "Pneumothorax": "pneumothorax",
}
"""Label -> its word."""

# Frame, what becomes of a, b, c, d in it (P stated, A denied, U doubted), and whether the denial reaches far.
_FRAMES = (
    ("There is {a} in the left lower lobe.", "P", False),
    ("{A} and {b} are seen on the right.", "PP", False),
    ("No {a} is identified.", "A", False),
    ("No evidence of {a}.", "A", False),
    ("The lungs are clear of {a}.", "A", False),
    ("The {a} has resolved.", "A", False),
    ("Interval resolution of the {a}.", "A", False),
    ("Possible {a}.", "U", False),
    ("Findings may represent {a} or {b}.", "UU", False),
    ("{A} cannot be excluded.", "U", False),
    ("{A} without {b}.", "PA", False),
    ("{A} is not seen, but there is {b}.", "AP", False),
    ("No {a}, although {b} is present at the base.", "AP", False),
    ("There is no {a}, {b}, {c}, or {d}.", "AAAA", True),
    ("The lungs are clear without evidence of focal {a}, large {b}, suspicious {c} or acute {d}.", "AAAA", True),
    ("No definite radiographic evidence of acute or chronic right or left lower lobe {a} is seen.", "A", True),
    ("Neither {a} in the right upper lobe nor {b} at the left costophrenic angle is demonstrated.", "AA", True),
    ("{A}, {b}, and {c} are not demonstrated on this examination.", "AAA", True),
    ("No {a}; a small {b} persists on the left.", "AP", True),
    ("No change in the {a} at the left base.", "P", True),
    ("There is {a} in the right lung base with no associated {b}, and the {c} has increased.", "PAP", True),
    ("No new {a} is seen, and the previously noted {b} is unchanged.", "AP", True),
)


@dataclass(frozen=True, slots=True)
class PlantedSentence:
    """A sentence, its labels with what is said of each (stated, denied, doubted), and whether a denial reaches far."""

    text: str
    labels: dict[str, Literal["P", "A", "U"]]
    far: bool


def planted_sentence(rng: np.random.Generator) -> PlantedSentence:
    """One sentence of the grammar with findings drawn without repetition."""
    frame, meant, far = _FRAMES[int(rng.integers(len(_FRAMES)))]
    labels = [str(name) for name in rng.permutation(list(NAMES))[: len(meant)]]
    words = {key: NAMES[label] for key, label in zip("abcd", labels, strict=False)}
    words["A"] = words["a"][:1].upper() + words["a"][1:]
    return PlantedSentence(frame.format(**words), dict(zip(labels, meant, strict=True)), far)  # type: ignore[arg-type]
