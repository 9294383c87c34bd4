"""The UCUM units that groundglass writes, with conversions between units of one dimension."""

from __future__ import annotations

from groundglass.core.errors import ConfigurationError

# unit -> (dimension, factor to the dimension's first unit, code meaning as DICOM writes it)
UNITS: dict[str, tuple[str, float, str]] = {
    "mm": ("length", 1.0, "millimeter"),
    "cm": ("length", 10.0, "centimeter"),
    "um": ("length", 1e-3, "micrometer"),
    "mm2": ("area", 1.0, "square millimeter"),
    "cm2": ("area", 100.0, "square centimeter"),
    "mm3": ("volume", 1.0, "cubic millimeter"),
    "mL": ("volume", 1000.0, "milliliter"),
    "L": ("volume", 1e6, "liter"),
    "deg": ("angle", 1.0, "degree"),
    "1": ("ratio", 1.0, "no units"),
    "%": ("ratio", 0.01, "percent"),
    "[hnsf'U]": ("attenuation", 1.0, "Hounsfield unit"),
    "g/mL{SUVbw}": ("uptake", 1.0, "Standardized Uptake Value body weight"),
    "{pixels}": ("pixel length", 1.0, "pixels"),
    "{count}": ("count", 1.0, "count"),
    "ms": ("time", 1.0, "millisecond"),
    "s": ("time", 1000.0, "second"),
}


def convert(value: float, unit: str, to: str) -> float:
    """`value` of `unit` expressed in `to`. Raises ConfigurationError when the dimensions differ."""
    for name in (unit, to):
        if name not in UNITS:
            raise ConfigurationError(name, "is not a unit that is written here", f"Use one of {', '.join(UNITS)}.")
    if UNITS[unit][0] != UNITS[to][0]:
        raise ConfigurationError(unit, f"is a {UNITS[unit][0]}, {to} a {UNITS[to][0]}", "Convert within one dimension.")
    return value * UNITS[unit][1] / UNITS[to][1]
