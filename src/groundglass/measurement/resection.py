"""Extent of resection: how much of a tumour an operation removed, and its category."""

from __future__ import annotations

from dataclasses import dataclass

from groundglass.core import InputError

# Raidionics' released limits: per cent removed (at least) and mL left (at most), best category first. They follow the
# percentages of Karschnia et al. 2021 (doi 10.1016/j.ejca.2021.03.002) with ten times the residual volumes given there.
COMPLETE_ABOVE = 99.9
CATEGORIES = (("near total", 95.0, 10.0), ("subtotal", 80.0, 50.0))


@dataclass(frozen=True, slots=True)
class Resection:
    """Volumes in mL. `extent` in per cent is None when nothing was there before, negative when the tumour grew."""

    before_ml: float
    after_ml: float
    extent: float | None
    category: str
    rano_class: str

    @property
    def has_grown(self) -> bool:
        return self.extent is not None and self.extent < 0


def extent_of_resection(before_ml: float, after_ml: float) -> Resection:
    """EOR = 100 (before - after) / before, its category and RANO resect class. Raises InputError below 0 mL."""
    if min(before_ml, after_ml) < 0:
        raise InputError("volume", f"is negative ({before_ml:g}, {after_ml:g} mL)", "Give volumes of at least 0 mL.")
    if before_ml == 0:
        return Resection(before_ml, after_ml, None, "undefined", "undefined")
    extent = 100.0 * (before_ml - after_ml) / before_ml
    return Resection(before_ml, after_ml, extent, _category(extent, after_ml), rano_class(before_ml, after_ml))


def _category(extent: float, after_ml: float) -> str:
    if extent < 0:
        return "growth"
    if extent > COMPLETE_ABOVE:
        return "complete"
    for name, least, most_left in CATEGORIES:
        if extent >= least and after_ml <= most_left:
            return name
    return "partial"


def rano_class(before_ml: float, after_ml: float) -> str:
    """Class of residual contrast-enhancing tumour (Karschnia et al. 2023, doi 10.1093/neuonc/noac193).

    2A none, 2B up to 1 mL, 3A up to 5 mL, 3B more, 4 no reduction. Class 1 needs the non-enhancing tumour, so it is
    not given here.
    """
    if after_ml == 0:
        return "2A"
    if after_ml >= before_ml:
        return "4"
    return "2B" if after_ml <= 1.0 else "3A" if after_ml <= 5.0 else "3B"
