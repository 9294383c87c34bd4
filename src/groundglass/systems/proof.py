"""A proof: the checks of a system's card, each a named claim with its baseline, measured value and verdict."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Claim:
    """One check. `required` says in words what had to hold ("AUROC >= 0.85"); `passed` is its verdict.

    `measured` is the figure, `low` and `high` its 95 % interval where it is an estimate, `baseline` the figure of
    what it is compared with. `detail` holds further figures by name. `simulated` marks checks on data that was
    made by simulation.
    """

    name: str
    measured: float
    required: str
    passed: bool
    baseline: float | None = None
    low: float | None = None
    high: float | None = None
    simulated: bool = False
    detail: dict[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proof:
    """The claims of one run. `data` names the data sets (with version) and `seeds` every seed that was used."""

    number: int
    claims: tuple[Claim, ...]
    seeds: tuple[int, ...] = ()
    data: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """True when there is a claim and every claim holds."""
        return bool(self.claims) and all(claim.passed for claim in self.claims)
