"""How a measured number is rounded, written and read back: one rule for text, tables and parse-back."""

from __future__ import annotations

import math

from groundglass.core.errors import ConfigurationError

# Decimals that the measurement's own uncertainty supports; a ratio needs two, Hounsfield units none.
_DECIMALS = {
    "mm": 1,
    "cm": 1,
    "um": 1,
    "mm2": 0,
    "cm2": 1,
    "mm3": 0,
    "mL": 1,
    "L": 2,
    "deg": 1,
    "1": 2,
    "%": 1,
    "[hnsf'U]": 0,
    "g/mL{SUVbw}": 1,
    "{pixels}": 0,
    "{count}": 0,
    "ms": 0,
    "s": 2,
}
# Small volumes keep a second decimal: a 0.26 mL nucleus must not become 0.3 mL.
_FINE = {"mL": (10.0, 2), "cm2": (1.0, 2)}

# UCUM unit -> (word in running text, word in tables)
UNIT_WORDS = {
    "mm": "mm",
    "cm": "cm",
    "um": "µm",
    "mm2": "mm²",
    "cm2": "cm²",
    "mm3": "mm³",
    "mL": "mL",
    "L": "L",
    "deg": "°",
    "1": "",
    "%": "%",
    "[hnsf'U]": "HU",
    "g/mL{SUVbw}": "SUV",
    "{pixels}": "pixels",
    "{count}": "",
    "ms": "ms",
    "s": "s",
}
_DECIMAL_MARK = {"id": ","}


def decimals(value: float, unit: str) -> int:
    """How many decimals a value of this UCUM unit is written with. Raises ConfigurationError on an unknown unit."""
    if unit not in _DECIMALS:
        raise ConfigurationError(
            unit, "is not a unit that reports are written in", f"Use one of {', '.join(_DECIMALS)}."
        )
    limit, fine = _FINE.get(unit, (0.0, 0))
    return fine if abs(value) < limit else _DECIMALS[unit]


def rounded(value: float, places: int) -> float:
    """`value` as it reads once written with `places` decimals; minus zero becomes zero."""
    return float(f"{value:.{places}f}") + 0.0


def write_number(value: float, places: int, language: str = "en") -> str:
    """The number with a fixed count of decimals in the language's notation. Raises ConfigurationError if not finite."""
    if not math.isfinite(value):
        raise ConfigurationError(
            value, "is not a finite number, so no sentence can state it", "Leave the measurement out."
        )
    return f"{rounded(value, places):.{places}f}".replace(".", _DECIMAL_MARK.get(language, "."))


def read_number(text: str, language: str = "en") -> float:
    """The number that `write_number` wrote."""
    return float(text.replace(_DECIMAL_MARK.get(language, "."), ".")) + 0.0


def number_pattern(places: int | None, language: str = "en") -> str:
    """Regular expression of a number with exactly `places` decimals (None: any count)."""
    mark = "[" + _DECIMAL_MARK.get(language, ".") + "]"
    if places == 0:
        return r"-?\d+"
    return rf"-?\d+(?:{mark}\d+)?" if places is None else rf"-?\d+{mark}\d{{{places}}}"


def quantity(value: float, unit: str) -> tuple[float, str]:
    """(rounded value, unit): what a sentence states of a measurement."""
    return rounded(value, decimals(value, unit)), unit


def write_quantity(value: float, unit: str, language: str = "en") -> str:
    """Number and unit as printed: `12.5 mL`, `0.56`, `-7 HU`, `64.0°`."""
    value = rounded(value, decimals(value, unit))
    number = write_number(value, decimals(value, unit), language)
    word = UNIT_WORDS[unit]
    return number + (word if word in ("°", "%") else f" {word}" if word else "")


def quantity_pattern(language: str = "en") -> str:
    """Regular expression of what `write_quantity` writes."""
    words = sorted((w for w in UNIT_WORDS.values() if w), key=len, reverse=True)
    return number_pattern(None, language) + r"(?: ?(?:" + "|".join(words) + r")(?!\w))?"


def read_quantity(text: str, language: str = "en") -> tuple[float, str]:
    """(value, UCUM unit) of a written quantity. A bare whole number is a count, a bare decimal one a ratio."""
    digits = text.rstrip("%°µmcLHUSVpixels²³ ")
    word = text[len(digits) :].strip()
    if not word:
        return read_number(digits, language), "1" if _DECIMAL_MARK.get(language, ".") in digits else "{count}"
    unit = next((u for u, w in UNIT_WORDS.items() if w == word), None)
    if unit is None:
        raise ConfigurationError(
            text, "does not end in a unit that reports are written in", "Write it with write_quantity."
        )
    return read_number(digits, language), unit
