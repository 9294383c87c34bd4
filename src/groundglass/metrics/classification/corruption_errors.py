"""How well a classifier stands corruptions: balanced error against a reference model's (MedMNIST-C).

    BE_c  = mean_s e(c, s) / ref_c                      BE  = mean over kinds c
    rBE_c = (mean_s e(c, s) - e_clean) / (ref_c - ref_clean)

e = 1 - balanced accuracy, s the severities, ref_c the reference's mean over them (there AlexNet). Below 1 is more
robust than the reference. Di Salvo, Doerrich, Ledig, arXiv 2406.17536.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from groundglass.core.errors import ConfigurationError, InputError


@dataclass(frozen=True, slots=True)
class RobustnessReference:
    """Balanced errors of the reference: on the clean set, and per kind as the mean over its severities."""

    name: str
    clean: float
    kinds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Robustness:
    """`be`, `rbe`: means over kinds; `clean` the model's own clean error. `undefined`: kinds whose reference error
    equals its clean one, so that rBE_c does not exist; they are left out of `rbe`, which is NaN when none is left."""

    be: float
    rbe: float
    clean: float
    be_by_kind: Mapping[str, float]
    rbe_by_kind: Mapping[str, float]
    undefined: tuple[str, ...]


def robustness(errors: Mapping[str, Sequence[float]], clean: float, reference: RobustnessReference) -> Robustness:
    """`errors`: kind -> balanced error at each severity; `clean`: on the clean set (0 is legal).

    Raises InputError for errors outside [0, 1] or none, ConfigurationError for a kind that the reference lacks.
    """
    if not errors or any(len(values) == 0 for values in errors.values()):
        raise InputError("errors", "hold no kind, or a kind without a value", "Give each kind's severities.")
    values = [clean, *(error for kind in errors.values() for error in kind)]
    if not all(0 <= value <= 1 for value in values):
        raise InputError("errors", "are not all between 0 and 1", "Give 1 - balanced accuracy.")
    missing = sorted(set(errors) - set(reference.kinds))
    if missing:
        raise ConfigurationError(f"reference {reference.name}", f"lacks {', '.join(missing)}", "Leave these kinds out.")
    means = {kind: float(np.mean(held)) for kind, held in errors.items()}
    be = {kind: _ratio(mean, reference.kinds[kind]) for kind, mean in means.items()}
    undefined = tuple(kind for kind in means if reference.kinds[kind] == reference.clean)
    rbe = {
        kind: (mean - clean) / (reference.kinds[kind] - reference.clean)
        for kind, mean in means.items()
        if kind not in undefined
    }
    return Robustness(
        float(np.mean(list(be.values()))),
        float(np.mean(list(rbe.values()))) if rbe else float("nan"),
        clean,
        be,
        rbe,
        undefined,
    )


@cache
def alexnet_reference(name: str) -> RobustnessReference:
    """The published errors of AlexNet on a set at 224 pixels (not for another size). Raises ConfigurationError."""
    import yaml

    folder = resources.files("groundglass.metrics.classification") / "data"
    rows = yaml.safe_load((folder / "medmnist_c_alexnet.yaml").read_text("utf-8"))["sets"]
    if name not in rows:
        raise ConfigurationError(f"set {name}", "has no published reference", f"There are {', '.join(rows)}.")
    return RobustnessReference(f"AlexNet, {name}", float(rows[name]["clean"]), dict(rows[name]["kinds"]))


def _ratio(error: float, reference: float) -> float:
    if reference > 0:
        return error / reference
    return 1.0 if error == 0 else float("inf")
