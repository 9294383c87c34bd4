"""What became of an instance that was handed to another machine, by C-STORE or STOW-RS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# PS3.7 Annex C and PS3.4 B.2.3: a receiver that is out of resources, or failed while it processed, may take it later.
_PASSING = (*range(0xA700, 0xA800), 0x0110, 0x0213)
_WARNINGS = (0x0001, 0x0107, 0x0116, *range(0xB000, 0xC000))
_MEANINGS = {
    0x0122: "its kind is not stored there",
    0x0110: "the receiver failed while it processed it",
    0x0124: "this sender is not authorised there",
    0x0213: "the receiver lacks resources",
    0xA7: "the receiver is out of resources",
    0xA9: "it does not match the kind that it claims to be",
    0xC: "the receiver cannot understand it",
}


@dataclass(frozen=True, slots=True)
class Delivered:
    """One instance and the receiver's answer: a DICOM status (0 is success) and what it means."""

    path: Path
    uid: str
    status: int

    @property
    def is_stored(self) -> bool:
        """True on success and on a warning: the receiver has it."""
        return self.status == 0 or self.status in _WARNINGS

    @property
    def may_succeed_later(self) -> bool:
        """True when the refusal speaks of the receiver's state, not of the instance."""
        return self.status in _PASSING

    @property
    def problem(self) -> str:
        """Why it was refused; empty where it was not."""
        if self.is_stored:
            return ""
        meaning = next((_MEANINGS[k] for k in (self.status, self.status >> 8, self.status >> 12) if k in _MEANINGS), "")
        return f"refused with status 0x{self.status:04X}" + (f": {meaning}" if meaning else "")
