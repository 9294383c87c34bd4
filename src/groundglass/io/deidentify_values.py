"""One data set without what identifies its patient: the actions of PS3.15 Table E.1-1 carried out."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections import Counter
from functools import cache
from typing import Any

from pydicom.datadict import dictionary_has_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as DicomSequence

from groundglass.io.deidentify_rules import DeidentifyOptions, action_of
from groundglass.io.uids import hashed_uid

STANDARD_ROOT = "1.2.840.10008."
ANONYMIZED = "ANONYMIZED"
TEXT = {"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"}
DUMMIES: dict[str, Any] = dict.fromkeys(TEXT | {"CS"}, ANONYMIZED)
DUMMIES |= {"AS": "000Y", "DA": "19000101", "TM": "000000", "DT": "19000101000000", "UR": "about:blank"}
DUMMIES |= dict.fromkeys(("OB", "OW", "UN"), b"\0\0")
# Code sequences (Table 8.8-1) name concepts, not people; in structured content they are kept.
CODE_MACRO = {0x00080100, 0x00080102, 0x00080103, 0x00080104, 0x00080119, 0x00080120}
PATIENT_ID, PATIENT_NAME = 0x00100020, 0x00100010
PIXELS = {0x7FE00008, 0x7FE00009, 0x7FE00010}
# What an identifier must have to be looked for elsewhere: fewer letters occur by chance.
SHORTEST = 4
IDENTIFYING = ("ID", "IDs", "Number", "Numbers", "Identifier", "Address")
HARMLESS = {"anonymized", "anonymous", "groundglass", "none", "unknown", "patient"}


class Cleaner:
    """Carries the secret, the options and the counts of one run."""

    def __init__(self, key: bytes, options: DeidentifyOptions) -> None:
        self.key, self.options = key, options
        self.counts: Counter[str] = Counter()
        self.offset = dt.timedelta()
        self.pseudonym = ""
        self.removed: set[str] = set()

    def clean(self, dataset: Dataset) -> None:
        """Change the data set in place. What was removed as identifying is then removed wherever it is repeated."""
        patient = str(dataset.get("PatientID") or "") or str(dataset.get("PatientName") or "")
        digest = hmac.new(self.key, patient.encode("utf-8"), hashlib.sha256).digest()
        self.pseudonym = f"GG{digest[:6].hex().upper()}"
        # Between one and ten years back: the order and the distances of a patient's dates stay.
        self.offset = dt.timedelta(days=365 + int.from_bytes(digest[6:10], "big") % 3285)
        self.removed = set()
        self._remember(dataset)
        self._items(dataset, strict=False)
        self._hunt(dataset, self._patterns())

    def _items(self, dataset: Dataset, *, strict: bool) -> None:
        for tag in list(dataset.keys()):
            try:
                element = dataset[tag]
            except Exception:
                # pydicom raises many types; what cannot be read cannot be shown to be harmless.
                del dataset[tag]
                self.counts["unreadable"] += 1
                continue
            if element.tag in PIXELS:
                continue
            if not element.tag.is_private and not _is_known(element):
                del dataset[tag]
                self.counts["unknown"] += 1
                continue
            self._element(dataset, element, strict=strict)

    def _element(self, dataset: Dataset, element: DataElement, *, strict: bool) -> None:
        action = action_of(element.tag, self.options)
        if strict and not action and element.VR in TEXT and element.tag not in CODE_MACRO:
            action = "D"
        if element.VR == "SQ" and action in ("", "D", "U*", "K", "C"):
            # A dummy of a sequence keeps its structure; its texts, dates and UIDs become dummies.
            for item in element.value or ():
                self._items(item, strict=strict or action in ("D", "C"))
            self.counts[action or "sequence"] += bool(action)
            return
        if action in ("X", "Z", "D", "U", "C"):
            self.counts[action] += 1
        if action == "X":
            del dataset[element.tag]
        elif action == "Z":
            element.value = self.pseudonym if element.tag in (PATIENT_ID, PATIENT_NAME) else _empty(element)
        elif action == "D":
            element.value = self._dummy(element)
        elif action == "U":
            element.value = self._other_uids(element)
        elif action == "C":
            self._cleaned(dataset, element)

    def _dummy(self, element: DataElement) -> Any:
        if element.tag == PATIENT_ID:
            return self.pseudonym
        if element.VR == "UI":
            return self._other_uids(element)
        if element.VR in DUMMIES:
            return DUMMIES[element.VR] if element.VM <= 1 else [DUMMIES[element.VR]] * element.VM
        return _empty(element)

    def _other_uids(self, element: DataElement) -> Any:
        values = _values(element)
        other = [v if not v or str(v).startswith(STANDARD_ROOT) else hashed_uid(str(v), key=self.key) for v in values]
        return other if len(other) > 1 else other[0]

    def _cleaned(self, dataset: Dataset, element: DataElement) -> None:
        """Option "C": dates are shifted, descriptions reduced to words that are no names, anything else is emptied."""
        if element.VR in ("DA", "DT"):
            moved = [_shifted(str(v), self.offset) for v in _values(element) if v]
            element.value = moved if len(moved) > 1 else (moved[0] if moved else None)
        elif element.VR == "TM":
            return
        elif element.VR in TEXT:
            allowed = vocabulary() - self.removed
            kept = [w for w in re.findall(r"[^\W_]+", str(element.value)) if w.casefold() in allowed]
            element.value = " ".join(kept) or None
        else:
            element.value = _empty(element)

    def _remember(self, dataset: Dataset) -> None:
        """Collect the words of names and whole identifiers that will go, to find them where they are repeated."""
        for tag in list(dataset.keys()):
            try:
                element = dataset[tag]
                texts = [str(value or "").strip().casefold() for value in _values(element)]
            except Exception:
                continue  # _items removes it
            if element.VR == "SQ":
                for item in element.value or ():
                    self._remember(item)
            elif element.VR == "PN":
                self.removed.update(word for text in texts for word in re.split(r"[\^=\s,.;]+", text))
            elif self._is_identifier(element):
                self.removed.update(texts)

    def _is_identifier(self, element: DataElement) -> bool:
        named = element.VR in ("LO", "SH", "UT", "UC") and element.keyword.endswith(IDENTIFYING)
        return named and action_of(element.tag, self.options) in ("X", "Z", "D")

    def _patterns(self) -> re.Pattern[str] | None:
        words = sorted(w for w in self.removed if len(w) >= SHORTEST and w not in HARMLESS)
        if not words:
            return None
        return re.compile(r"(?<![^\W_])(?:" + "|".join(map(re.escape, words)) + r")(?![^\W_])")

    def _hunt(self, dataset: Dataset, pattern: re.Pattern[str] | None) -> None:
        """Put a dummy for every value, listed or not, that repeats a removed name or identifier.

        Group 0028 describes the pixels and holds no free text.
        """
        if pattern is None:
            return
        for element in list(dataset):
            if element.VR == "SQ":
                for item in element.value or ():
                    self._hunt(item, pattern)
            elif element.tag not in PIXELS and element.tag.group != 0x0028:
                self._replace_repeated(element, pattern)

    def _replace_repeated(self, element: DataElement, pattern: re.Pattern[str]) -> None:
        values = _values(element)
        said = [_says(element, value, pattern) and str(value) != self.pseudonym for value in values]
        if any(said):
            dummy = DUMMIES[element.VR] if element.VR in TEXT | {"CS"} else None
            kept = [dummy if bad else value for bad, value in zip(said, values, strict=True)]
            element.value = kept if len(kept) > 1 else kept[0]
            self.counts["repeated"] += 1


def _values(element: DataElement) -> list[Any]:
    return list(element.value) if isinstance(element.value, MultiValue) else [element.value]


def _says(element: DataElement, value: Any, pattern: re.Pattern[str]) -> bool:
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value or "")
    return element.VR not in ("UI", "DS", "IS", "FD", "FL") and pattern.search(text.casefold()) is not None


def _is_known(element: DataElement) -> bool:
    return element.tag.group >> 8 in (0x50, 0x60) or dictionary_has_tag(element.tag)


def _empty(element: DataElement) -> Any:
    return DicomSequence([]) if element.VR == "SQ" else None


def _shifted(text: str, offset: dt.timedelta) -> str | None:
    """A DA or DT value `offset` earlier; the time part stays, a value that is no date goes."""
    try:
        day = dt.datetime.strptime(text[:8], "%Y%m%d") - offset
    except ValueError:
        return None
    return f"{day:%Y%m%d}{text[8:]}"


@cache
def vocabulary() -> frozenset[str]:
    """Words of DICOM's code meanings and of the ontology, and numbers of up to two digits."""
    from pydicom.sr import _concepts_dict

    from groundglass.core.ontology import ontology

    concepts: dict[str, Any] = _concepts_dict.concepts
    meanings = [m for scheme in concepts.values() for codes in scheme.values() for m, _ in codes.values()]
    meanings += [entry.term.name for entry in ontology()]
    words = {w.casefold() for meaning in meanings for w in re.findall(r"[^\W\d_]+", meaning)}
    return frozenset(words | {str(n) for n in range(100)} | {"t1", "t2", "t1w", "t2w", "flair", "dwi", "adc"})
