"""What a parser hands over: findings, and the honest edge of what was looked for."""

from __future__ import annotations

from dataclasses import dataclass

from groundglass.core.finding import Finding


@dataclass(frozen=True, slots=True)
class ModelCitation:
    """A model that took part: name, version, and where it was measured and with what result."""

    name: str
    version: str
    measured_on: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """Findings of one study before they are put into words.

    `not_assessed` names what a reader could expect but nothing looked for; `warnings` are doubts about the
    input (quality, geometry, orientation); `models` took part.
    """

    findings: tuple[Finding, ...] = ()
    not_assessed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    models: tuple[ModelCitation, ...] = ()

    def __add__(self, other: Reading) -> Reading:
        """Both together; repeated warnings, limits and models are kept once, in order."""
        return Reading(
            self.findings + other.findings,
            tuple(dict.fromkeys(self.not_assessed + other.not_assessed)),
            tuple(dict.fromkeys(self.warnings + other.warnings)),
            tuple(dict.fromkeys(self.models + other.models)),
        )
