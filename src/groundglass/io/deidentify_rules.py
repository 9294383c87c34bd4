"""What PS3.15 Annex E says about each attribute, and which of its options are taken."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from pydicom.tag import BaseTag

from groundglass.core.term import Term

Dates = Literal["remove", "shift", "keep"]

BASIC_PROFILE = Term("113100", "DCM", "Basic Application Confidentiality Profile")
CLEAN_STRUCTURED_CONTENT = Term("113104", "DCM", "Clean Structured Content Option")
# Several actions for one attribute depend on its type in the IOD. The one that keeps the object valid whatever the
# type is comes first; all of them remove the original value.
# Listed as X/Z, but optional in every IOD and invalid when empty.
REFERENCED_STUDY = 0x00081110
_PRECEDENCE = ("U*", "D", "Z", "X")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeidentifyOptions:
    """The options of PS3.15 E.3 that are taken. All off is the basic profile alone.

    `dates`: remove (basic profile), shift (modified dates: one offset of whole days per patient, times kept) or
    keep (full dates). `clean_descriptors` keeps of descriptions the words that DICOM's own code meanings use.
    """

    retain_uids: bool = False
    dates: Dates = "remove"
    clean_descriptors: bool = False
    retain_device: bool = False
    retain_institution: bool = False
    retain_patient_characteristics: bool = False

    @property
    def taken(self) -> Mapping[str, Term]:
        """Name of the option in the table -> its code (CID 7050), for those that are on."""
        known = {
            "uids": (self.retain_uids, "113110", "Retain UIDs Option"),
            "full_dates": (
                self.dates == "keep",
                "113106",
                "Retain Longitudinal Temporal Information Full Dates Option",
            ),
            "modified_dates": (
                self.dates == "shift",
                "113107",
                "Retain Longitudinal Temporal Information Modified Dates Option",
            ),
            "clean_descriptors": (self.clean_descriptors, "113105", "Clean Descriptors Option"),
            "device": (self.retain_device, "113109", "Retain Device Identity Option"),
            "institution": (self.retain_institution, "113112", "Retain Institution Identity Option"),
            "patient_characteristics": (
                self.retain_patient_characteristics,
                "113108",
                "Retain Patient Characteristics Option",
            ),
        }
        return {name: Term(code, "DCM", meaning) for name, (on, code, meaning) in known.items() if on}


@cache
def table() -> Mapping[int, Mapping[str, object]]:
    """Tag -> row of Table E.1-1, without the repeating groups, which `action_of` knows."""
    text = (resources.files("groundglass.io") / "data" / "ps315_basic.json").read_text(encoding="utf-8")
    rows = json.loads(text)["attributes"]
    return {int(row["tag"], 16): row for row in rows if "x" not in row["tag"]}


def action_of(tag: BaseTag, options: DeidentifyOptions) -> str:
    """One of X (remove), Z (empty), D (dummy), U (other UID), U* (items with other UIDs), K, C, or "" (not listed)."""
    if tag.is_private or 0x5000 <= tag.group <= 0x50FF or 0x6000 <= tag.group <= 0x60FF:
        # Curves and overlays: without its data the rest of an overlay group would be invalid, so that all of it goes.
        return "X"
    row = table().get(int(tag))
    if row is None:
        return ""
    chosen = row.get("options", {})
    assert isinstance(chosen, dict)
    for name in options.taken:
        if name in chosen:
            return str(chosen[name])
    if int(tag) == REFERENCED_STUDY:
        return "X"
    actions = str(row["action"]).split("/")
    return next((a for a in _PRECEDENCE if a in actions), actions[0])
