"""A coded concept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Term:
    """A concept as DICOM writes it: code value, coding scheme designator, code meaning.

    `Term("39607008", "SCT", "lung")`. Concepts without a published code use the private scheme
    `99GROUNDGLASS`. Two terms are the same concept when code and scheme agree; `name` is for people.
    """

    code: str
    scheme: str
    name: str

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Term):
            return NotImplemented
        return (self.code, self.scheme) == (other.code, other.scheme)

    def __hash__(self) -> int:
        return hash((self.code, self.scheme))

    def __str__(self) -> str:
        return self.name
