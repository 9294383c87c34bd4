"""Checks of what a generator is asked for: typed errors that name the option and the remedy."""

from __future__ import annotations

from collections.abc import Sequence

from groundglass.core import ConfigurationError
from groundglass.synthesis.phantoms.planted import Plant
from groundglass.synthesis.phantoms.tissue import PHASES


def check_plants(plants: Sequence[Plant], names: Sequence[str], *, kind: str) -> None:
    """Raises ConfigurationError for a finding that this generator does not plant."""
    for plant in plants:
        if plant.name not in names:
            raise ConfigurationError(plant.name, f"is not planted in {kind}", f"Use one of {', '.join(names)}.")


def check_phase(phase: str | None) -> str | None:
    """The phase, or None where it is to be drawn."""
    if phase is not None and phase not in PHASES:
        raise ConfigurationError(phase, "is not a phase of contrast", f"Use one of {', '.join(PHASES)}.")
    return phase


def check_noise(noise: float) -> float:
    """A standard deviation in HU."""
    if not 0 < noise <= 200:
        raise ConfigurationError(f"noise {noise}", "is not a standard deviation in HU", "Use more than 0, up to 200.")
    return float(noise)
