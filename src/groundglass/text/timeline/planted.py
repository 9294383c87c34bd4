"""Made-up patients whose groups and episodes are known: sequences of short chest reports for proofs and tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from groundglass.text.timeline.studies import DatedReport


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that a patient may have: its words for being there, still there and gone ("{c}" is a change word)."""

    name: str
    there: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    device: bool = False


class Mention(NamedTuple):
    """One sentence of one study: the condition it speaks of and the episode (0 = its normals)."""

    study: int
    condition: str
    episode: int
    sentence: str


class PlantedPatient(NamedTuple):
    """Reports and what each of their sentences means."""

    reports: tuple[DatedReport, ...]
    mentions: tuple[Mention, ...]


def _sided(name: str, nouns: Sequence[str], side: str, place: str = "") -> Condition:
    spot = f"{side} {place}".strip()
    after = f"in the {spot}" if place else f"on the {side}"
    return Condition(
        f"{spot} {name}",
        tuple(t for n in nouns for t in (f"There is {spot} {n}.", f"{n.capitalize()} {after}.", f"Small {spot} {n}.")),
        tuple(t for n in nouns for t in (f"The {spot} {n} {{c}}.", f"{n.capitalize()} {after} {{c}}.")),
        tuple(t for n in nouns for t in (f"No {spot} {n}.", f"The {spot} {n} has resolved.")),
    )


def _plain(name: str, nouns: Sequence[str], normal: Sequence[str] = (), *, device: bool = False) -> Condition:
    gone = normal or [f"The {n} has been removed." if device else f"No {n}." for n in nouns]
    return Condition(
        name,
        tuple(t for n in nouns for t in (f"{n} is present.", f"{n} is seen.")),
        tuple(f"The {n} {{c}}." for n in nouns),
        tuple(gone),
        device,
    )


CONDITIONS = (
    _sided("effusion", ("pleural effusion", "effusion", "pleural fluid"), "left"),
    _sided("effusion", ("pleural effusion", "effusion", "pleural fluid"), "right"),
    _sided("pneumothorax", ("pneumothorax", "PTX"), "left"),
    _sided("pneumothorax", ("pneumothorax", "PTX"), "right"),
    _sided("consolidation", ("consolidation", "airspace consolidation"), "right", "upper lobe"),
    _sided("consolidation", ("consolidation", "airspace consolidation"), "right", "lower lobe"),
    _sided("nodule", ("nodule", "pulmonary nodule"), "left", "upper lobe"),
    _sided("mass", ("mass",), "left", "upper lobe"),
    _sided("opacity", ("opacity", "opacification"), "left", "lower lobe"),
    _sided("pneumonia", ("pneumonia",), "left", "lower lobe"),
    _sided("atelectasis", ("atelectasis", "atelectatic change"), "right", "lung base"),
    _plain(
        "cardiomegaly", ("cardiomegaly", "cardiac enlargement"), ("Heart size is normal.", "The heart is not enlarged.")
    ),
    _plain("edema", ("pulmonary edema", "interstitial edema")),
    _plain("endotracheal tube", ("endotracheal tube", "ET tube"), device=True),
    _plain("enteric tube", ("nasogastric tube", "enteric tube", "feeding tube"), device=True),
)
_COURSE_WORDS = ("is unchanged", "is stable", "has increased", "has decreased", "has worsened", "has improved")
_LONG = 500


def planted_patient(rng: np.random.Generator) -> PlantedPatient:
    """A patient of four to seven studies and three to six conditions, which come, go and come back."""
    count = int(rng.integers(4, 8))
    gaps = [int(rng.integers(1, 60)) if rng.random() < 0.9 else _LONG for _ in range(count - 1)]
    days = [0, *(sum(gaps[: i + 1]) for i in range(count - 1))]
    chosen = rng.choice(len(CONDITIONS), size=int(rng.integers(3, 7)), replace=False)
    mentions = [m for index in chosen for m in _course(CONDITIONS[index], days, rng)]
    by_study = [[m for m in mentions if m.study == study] for study in range(count)]
    ordered = [[said[i] for i in rng.permutation(len(said))] for said in by_study]
    reports = tuple(
        DatedReport(f"s{study + 1}", _date(days[study]), " ".join(m.sentence for m in said))
        for study, said in enumerate(ordered)
    )
    return PlantedPatient(reports, tuple(m for said in ordered for m in said))


def _course(condition: Condition, days: Sequence[int], rng: np.random.Generator) -> list[Mention]:
    """The mentions of one condition: it is there, still there, gone or passed over in each study."""
    found: list[Mention] = []
    is_there, episode, last = False, 0, -1
    for study, day in enumerate(days):
        draw = rng.random()
        if draw < 0.2:
            continue
        if draw < 0.4 if is_there else draw < 0.5:
            found.append(Mention(study, condition.name, 0, _pick(condition.gone, rng)))
            is_there = False
            continue
        lapsed = last >= 0 and day - days[last] > 365 and not condition.device
        if not is_there or lapsed:
            episode += 1
            sentence = _pick(condition.there, rng)
        else:
            options = (*condition.there, *(t.format(c=_pick(_COURSE_WORDS, rng)) for t in condition.changed))
            sentence = _pick(options, rng)
        found.append(Mention(study, condition.name, episode, sentence[0].upper() + sentence[1:]))
        is_there, last = True, study
    return found


def _pick(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _date(day: int) -> str:
    return (date(2024, 1, 1) + timedelta(days=day)).isoformat()
