"""Work for the batch test. Light, because every process of a pool imports it."""

from __future__ import annotations

import os

from groundglass.core.errors import InputError


def odd(number: int) -> int:
    """Ten times the number; 3 raises a typed error, 5 another, 7 ends the process."""
    if number == 3:
        raise InputError("case 3", "is odd", "Leave it.")
    if number == 5:
        raise ZeroDivisionError("five")
    if number == 7:
        os._exit(1)
    return number * 10
