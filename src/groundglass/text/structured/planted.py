"""Made-up staging reports of lymphoma whose forms are known, in English and Italian, for proofs and tests.

Only numbers and choices are planted; what a form says in free text is a matter of wording. Long reports hold sentences
that answer nothing, so that answers lie anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

_STATIONS: Mapping[str, tuple[str, str]] = {
    "cervical right": ("right cervical", "laterocervicali destri"),
    "cervical left": ("left cervical", "laterocervicali sinistri"),
    "supraclavicular right": ("right supraclavicular", "sovraclaveari destri"),
    "supraclavicular left": ("left supraclavicular", "sovraclaveari sinistri"),
    "axillary right": ("right axillary", "ascellari destri"),
    "axillary left": ("left axillary", "ascellari sinistri"),
    "mediastinal": ("mediastinal", "mediastinici"),
    "hilar": ("hilar", "ilari"),
    "para-aortic": ("para-aortic", "lomboaortici"),
    "mesenteric": ("mesenteric", "mesenterici"),
    "iliac right": ("right iliac", "iliaci destri"),
    "iliac left": ("left iliac", "iliaci sinistri"),
    "inguinal": ("inguinal", "inguinali"),
}
_NODES = {
    "en": (
        "{S} lymph nodes measure up to {size}.",
        "There are enlarged {s} nodes, the largest of {size}.",
        "{S} lymphadenopathy, {size}.",
        "A {size} {s} node is seen.",
    ),
    "it": (
        "Linfonodi {s} fino a {size}.",
        "Si osservano linfonodi {s}, il maggiore di {size}.",
        "Adenopatie {s} con diametri di {size}.",
    ),
}
_CHOICES: Mapping[str, Mapping[str, tuple[Sequence[str], Sequence[str]]]] = {
    "spleen": {
        "normal": (
            ("The spleen is normal in size.", "The spleen is not enlarged.", "Unremarkable spleen."),
            ("Milza nei limiti dimensionali.", "La milza è di dimensioni normali.", "Milza non aumentata di volume."),
        ),
        "enlarged": (
            ("The spleen is enlarged.", "Splenomegaly.", "The spleen has increased in size."),
            ("Milza aumentata di dimensioni.", "Splenomegalia.", "La milza appare ingrandita."),
        ),
    },
    "liver": {
        "normal": (
            ("The liver is normal in size.", "Unremarkable liver."),
            ("Fegato nei limiti.", "Il fegato è di dimensioni normali."),
        ),
        "enlarged": (
            ("The liver is enlarged.", "Hepatomegaly."),
            ("Fegato aumentato di volume.", "Epatomegalia."),
        ),
    },
    "splenic lesions": {
        "no": (
            ("No splenic lesions.", "There is no evidence of focal splenic lesions.", "Splenic lesions are not seen."),
            ("Non lesioni spleniche.", "Non si osservano lesioni della milza.", "Assenza di lesioni spleniche."),
        ),
        "yes": (
            ("Splenic lesions are seen.", "There are several splenic nodules."),
            ("Si osservano lesioni spleniche.", "Presenza di lesioni della milza."),
        ),
    },
    "bulky disease": {
        "yes": (("There is bulky disease.", "Bulky tumour."), ("Malattia bulky.", "È presente massa bulky.")),
        "no": (("No bulky disease.", "There is no bulky mass."), ("Non malattia bulky.", "Assenza di massa bulky.")),
    },
    "ascites": {
        "yes": (("Ascites is present.", "Small ascites."), ("È presente ascite.", "Modesta ascite.")),
        "no": (("No ascites.", "There is no free fluid."), ("Non ascite.", "Assenza di liquido libero.")),
    },
    "pericardial effusion": {
        "yes": (("Small pericardial effusion.",), ("Lieve versamento pericardico.",)),
        "no": (("No pericardial effusion.",), ("Non versamento pericardico.",)),
    },
    "pleural effusion": {
        "none": (("No pleural effusion.",), ("Non versamento pleurico.", "Assenza di versamento pleurico.")),
        "left": (
            ("Left pleural effusion.", "There is a pleural effusion on the left."),
            ("Versamento pleurico sinistro.",),
        ),
        "right": (("Right pleural effusion.",), ("Versamento pleurico a destra.",)),
        "bilateral": (("Bilateral pleural effusions.",), ("Versamento pleurico bilaterale.",)),
    },
    "Deauville score": {
        str(n): (
            (f"Deauville score {n}.", f"The Deauville score is {n}."),
            (f"Deauville {n}.", f"Punteggio di Deauville {n}."),
        )
        for n in range(1, 6)
    },
    "Ann Arbor stage": {
        stage: ((f"Stage {stage}.", f"Ann Arbor {stage}."), (f"Stadio {stage}.", f"Ann Arbor {stage}."))
        for stage in ("I", "II", "III", "IV")
    },
    "response": {
        "complete response": (("Complete response.", "Complete remission."), ("Risposta completa.",)),
        "partial response": (("Partial response.",), ("Risposta parziale.",)),
        "progressive disease": (("Disease progression.",), ("Progressione di malattia.",)),
    },
}
_LENGTHS = {
    "spleen length": (
        ("The spleen measures {size}.", "Length of the spleen: {size}."),
        ("Diametro della milza di {size}.",),
    ),
    "liver length": (("The liver measures {size}.",), ("Diametro longitudinale del fegato di {size}.",)),
}
FILLERS = {
    "en": (
        "The examination was tolerated well by the patient.",
        "Thyroid of regular size and structure.",
        "The great vessels show regular calibre.",
        "Gallbladder without stones.",
        "The bladder is well distended with thin walls.",
        "No dilatation of the bile ducts.",
        "Degenerative changes of the facet joints.",
    ),
    "it": (
        "Esame condotto secondo il protocollo abituale del reparto.",
        "Tiroide di volume e struttura regolari.",
        "Grossi vasi di calibro conservato.",
        "Colecisti alitiasica.",
        "Vescica ben distesa a pareti sottili.",
        "Vie biliari non dilatate.",
        "Alterazioni degenerative delle articolazioni interapofisarie.",
    ),
}


class PlantedReport(NamedTuple):
    """A report in `language` with the values of its numbers and choices by item id, and the places of the sentences
    that say so."""

    text: str
    language: str
    values: dict[str, str]
    spans: dict[str, tuple[int, int]]


def planted_report(rng: np.random.Generator, *, language: str = "en", fillers: int = 0) -> PlantedReport:
    """A report that states each choice and length with a chance of 0.6, and up to five node stations."""
    at = 1 if language == "it" else 0
    values: dict[str, str] = {}
    said: list[tuple[str, tuple[str, ...]]] = []
    for station in rng.permutation(list(_STATIONS))[: int(rng.integers(0, 6))]:
        long, short = sorted((int(v) for v in rng.integers(6, 60, 2)), reverse=True)
        axes = (f"{station} long axis", f"{station} short axis")
        values |= {axes[0]: str(long), axes[1]: str(short)}
        name = _STATIONS[str(station)][at]
        frame = _pick(_NODES[language], rng)
        size = _pair(long, short, language, rng)
        said.append((frame.format(s=name, S=name[0].upper() + name[1:], size=size), axes))
    for item, choices in _CHOICES.items():
        if rng.random() < 0.6:
            value = _pick(list(choices), rng)
            values[item] = value
            said.append((_pick(choices[value][at], rng), (item,)))
    for item, frames in _LENGTHS.items():
        if rng.random() < 0.6:
            length = int(rng.integers(80, 220))
            values[item] = str(length)
            said.append((_pick(frames[at], rng).format(size=_length(length, language, rng)), (item,)))
    said += [(_pick(FILLERS[language], rng), ()) for _ in range(fillers)]
    return written([said[i] for i in rng.permutation(len(said))], language, values)


def written(said: Sequence[tuple[str, tuple[str, ...]]], language: str, values: dict[str, str]) -> PlantedReport:
    spans: dict[str, tuple[int, int]] = {}
    start = 0
    for sentence, items in said:
        spans |= dict.fromkeys(items, (start, start + len(sentence)))
        start += len(sentence) + 1
    return PlantedReport(" ".join(sentence for sentence, _ in said), language, values, spans)


def _pair(long: int, short: int, language: str, rng: np.random.Generator) -> str:
    if rng.random() < 0.5:
        return f"{long} x {short} mm"
    return f"{_decimal(long / 10, language)} x {_decimal(short / 10, language)} cm"


def _length(value: int, language: str, rng: np.random.Generator) -> str:
    return f"{value} mm" if rng.random() < 0.5 else f"{_decimal(value / 10, language)} cm"


def _decimal(value: float, language: str) -> str:
    return f"{value:g}".replace(".", "," if language == "it" else ".")


def _pick(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]
