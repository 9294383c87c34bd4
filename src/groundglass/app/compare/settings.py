"""The options that every kind of comparison shares."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from groundglass.core import ConfigurationError
from groundglass.core.cores import free_cores

MissingRule = Literal["error", "skip", "worst"]
MISSING_RULES: tuple[MissingRule, ...] = ("error", "skip", "worst")


@dataclass(frozen=True, slots=True)
class Settings:
    """How cases are named, what happens to missing ones, how intervals are drawn.

    `missing` says what becomes of a case without a prediction: `error` ends the run, `skip` leaves it out of every
    figure, `worst` gives it the worst value that each metric has. `case_from` and `patient_from` are searched in the
    path of a file within its folder (or in the case id of a table); their first group, else the whole match, counts.
    `case_column` and `patient_column` name columns of tables.
    """

    missing: MissingRule = "error"
    case_from: re.Pattern[str] | None = None
    patient_from: re.Pattern[str] | None = None
    case_column: str | None = None
    patient_column: str | None = None
    metrics: tuple[str, ...] = ()
    resamples: int = 2000
    seed: int = 0
    processes: int = 1

    @classmethod
    def of(
        cls,
        *,
        allow_missing: str | None,
        case_from: str | None,
        patient_from: str | None,
        case_column: str | None,
        patient_column: str | None,
        metrics: str,
        resamples: int,
        seed: int,
        processes: int | None,
    ) -> Settings:
        """From the words of the command line. Raises ConfigurationError naming the option that is wrong."""
        rule = next((rule for rule in MISSING_RULES[1:] if rule == allow_missing), None)
        if allow_missing is not None and rule is None:
            raise ConfigurationError(f"--allow-missing {allow_missing}", "is not a rule", "Use skip or worst.")
        if resamples < 1:
            raise ConfigurationError(f"--resamples {resamples}", "leaves no interval", "Use at least 1.")
        if processes is not None and processes < 1:
            raise ConfigurationError(f"--processes {processes}", "leaves nobody to work", "Use at least 1.")
        return cls(
            missing=rule or "error",
            case_from=_pattern("--case-from", case_from),
            patient_from=_pattern("--patient-from", patient_from),
            case_column=case_column,
            patient_column=patient_column,
            metrics=tuple(word.strip() for word in metrics.split(",") if word.strip()),
            resamples=resamples,
            seed=seed,
            processes=processes or free_cores(),
        )


def _pattern(option: str, text: str | None) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise ConfigurationError(f"{option} {text}", f"is not a regular expression ({error})", "Mend it.") from error


def first_group(pattern: re.Pattern[str], text: str) -> str | None:
    """The first group that took part in the first match, else the whole match; None where nothing matches."""
    found = pattern.search(text)
    if found is None:
        return None
    return next((group for group in found.groups() if group is not None), found.group(0))


def method_names(first: Path, second: Path) -> tuple[str, str]:
    """Names of two prediction files or folders for the table: their own, with the folder above where those agree."""
    names = first.resolve().name, second.resolve().name
    if names[0] == names[1]:
        names = tuple(f"{path.resolve().parent.name}/{path.name}" for path in (first, second))  # type: ignore[assignment]
    return names if names[0] != names[1] else (f"{names[0]} (1)", f"{names[1]} (2)")
