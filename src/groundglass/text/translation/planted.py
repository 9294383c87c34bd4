"""Chest CT reports that a grammar writes in English and Japanese at once, with the 18 labels of CT-RATE.

Made up: every finding is told in one of six ways per status (stated, denied, doubted) and language, with sides and
sizes. `half` keeps to one half of the ways, so that a reader can be trained on some and tested on the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

NOUNS: dict[str, tuple[str, str]] = {
    "Medical material": ("pacemaker", "ペースメーカー"),
    "Arterial wall calcification": ("aortic calcification", "大動脈壁石灰化"),
    "Cardiomegaly": ("cardiomegaly", "心拡大"),
    "Pericardial effusion": ("pericardial effusion", "心嚢液貯留"),
    "Coronary artery wall calcification": ("coronary artery calcification", "冠動脈石灰化"),
    "Hiatal hernia": ("hiatal hernia", "食道裂孔ヘルニア"),
    "Lymphadenopathy": ("lymphadenopathy", "リンパ節腫大"),
    "Emphysema": ("emphysema", "肺気腫"),
    "Atelectasis": ("atelectasis", "無気肺"),
    "Lung nodule": ("nodule", "結節影"),
    "Lung opacity": ("ground-glass opacity", "すりガラス影"),
    "Pulmonary fibrotic sequela": ("fibrotic scar", "索状影"),
    "Pleural effusion": ("pleural effusion", "胸水"),
    "Mosaic attenuation pattern": ("mosaic attenuation", "モザイクパターン"),
    "Peribronchial thickening": ("peribronchial thickening", "気管支壁肥厚"),
    "Consolidation": ("consolidation", "浸潤影"),
    "Bronchiectasis": ("bronchiectasis", "気管支拡張"),
    "Interlobular septal thickening": ("interlobular septal thickening", "小葉間隔壁肥厚"),
}
"""Label -> its English and its Japanese words, in the order of the set."""

_SIDED = frozenset(
    {"Atelectasis", "Lung nodule", "Lung opacity", "Pleural effusion", "Consolidation", "Bronchiectasis"}
)
_SIZED = frozenset({"Lung nodule"})
_PLACES = (
    ("", ""),
    ("on the left", "左側に"),
    ("on the right", "右側に"),
    ("on both sides", "両側に"),
)
_WAYS = {
    "stated": (
        ("There is {n}{p}.", "{p}{n}を認めます。"),
        ("{N} is seen{p}.", "{p}{n}がみられる。"),
        ("{N}{p}.", "{p}{n}あり。"),
        ("{N} is present{p}.", "{p}{n}が認められます。"),
        ("We see {n}{p}.", "{p}{n}を指摘できます。"),
        ("{N} is noted{p}.", "{p}{n}が散見される。"),
    ),
    "denied": (
        ("There is no {n}{p}.", "{p}{n}を認めません。"),
        ("No {n} is seen{p}.", "{p}{n}はみられない。"),
        ("No {n}{p}.", "{p}{n}なし。"),
        ("{N} is not identified{p}.", "{p}{n}は指摘できません。"),
        ("{N} is absent{p}.", "{p}{n}は認められない。"),
        ("Without {n}{p}.", "{p}{n}はありません。"),
    ),
    "doubted": (
        ("Probable {n}{p}.", "{p}{n}が疑われる。"),
        ("{N} is suspected{p}.", "{p}{n}の疑い。"),
        ("Findings suggest {n}{p}.", "{p}{n}を疑います。"),
        ("Likely {n}{p}.", "{p}{n}と考えます。"),
        ("{N} is likely{p}.", "{p}{n}が示唆される。"),
        ("Suspected {n}{p}.", "{p}{n}が疑われます。"),
    ),
}
_STATUSES = ("stated", "denied", "doubted")
Half = Literal["first", "second"]


@dataclass(frozen=True, slots=True)
class BilingualReport:
    """One report in both languages; `labels` are those stated or thought probable."""

    english: str
    japanese: str
    labels: frozenset[str]


def planted_report(
    rng: np.random.Generator, *, sentences: int = 6, half: Half | None = None, denied: float = 0.5, doubted: float = 0.1
) -> BilingualReport:
    """A report of `sentences` findings, of which a share is `denied` and a share `doubted`."""
    names = [str(name) for name in rng.permutation(list(NOUNS))[:sentences]]
    english, japanese, labels = [], [], set()
    for name in names:
        status = str(rng.choice(_STATUSES, p=(1 - denied - doubted, denied, doubted)))
        low, high = {"first": (0, 3), "second": (3, 6), None: (0, 6)}[half]
        one, other = _WAYS[status][int(rng.integers(low, high))]
        place = _PLACES[int(rng.integers(len(_PLACES)))] if name in _SIDED else _PLACES[0]
        nouns = NOUNS[name]
        if name in _SIZED and status == "stated":
            size = int(rng.integers(3, 30))
            nouns = (f"{size} mm {nouns[0]}", f"{size}mm大の{nouns[1]}")
        english.append(
            one.format(n=nouns[0], N=nouns[0][:1].upper() + nouns[0][1:], p=f" {place[0]}" if place[0] else "")
        )
        japanese.append(other.format(n=nouns[1], p=place[1]))
        if status != "denied":
            labels.add(name)
    return BilingualReport(" ".join(english), "".join(japanese), frozenset(labels))
