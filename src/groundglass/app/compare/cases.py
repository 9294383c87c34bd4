"""Files of predictions and of truths, paired by case."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from groundglass.app.compare.settings import Settings, first_group
from groundglass.core import ConfigurationError, InputError

_BIDS_SUBJECT = re.compile(r"(?:^|/|_)(sub-[A-Za-z0-9]+)")
_SUFFIXES = (".seg.nrrd", ".nii.gz", ".label.json", ".json.gz")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class FilePair:
    """One case: `prediction` is None where it is missing (only under a rule for missing cases)."""

    case: str
    patient: str
    prediction: Path | None
    truth: Path


@dataclass(frozen=True, slots=True)
class Pairing:
    """The cases to score, in order, those left out for want of a prediction, and predictions that have no truth."""

    pairs: tuple[FilePair, ...]
    missing: tuple[str, ...] = ()
    without_truth: tuple[str, ...] = ()


def pair_files(prediction: Path, truth: Path, accepts: Callable[[Path], bool], settings: Settings) -> Pairing:
    """Two files as one case, or the files of two folders (with subfolders) by case id.

    The case id is the file's name without suffix; where names repeat within one of the folders, the path inside it;
    with `case_from` what that finds in the path. Raises InputError for a path that does not exist, a file beside a
    folder, a folder without such files, a case id that occurs twice, and missing cases without a rule for them.
    """
    for path in (prediction, truth):
        if not path.exists():
            raise InputError(path, "does not exist", "Check the path.")
    if prediction.is_dir() != truth.is_dir():
        raise InputError(
            f"{prediction} and {truth}", "are a file and a folder", "Give two files, or two folders of such files."
        )
    if truth.is_file():
        case = case_of_path(truth.name, settings) if settings.case_from else stem(truth.name)
        return Pairing((FilePair(case, patient_of(case, str(truth), settings), prediction, truth),))
    found = [files_of(folder, accepts) for folder in (prediction, truth)]
    predictions, truths = _named(found, (prediction, truth), settings)
    cases, missing, extra = pair_cases(predictions, truths, prediction, truth, settings)
    pairs = tuple(
        FilePair(
            case,
            patient_of(case, truths[case][0], settings),
            predictions[case][1] if case in predictions else None,
            truths[case][1],
        )
        for case in cases
    )
    return Pairing(pairs, tuple(missing), tuple(extra))


def files_of(folder: Path, accepts: Callable[[Path], bool]) -> dict[str, Path]:
    """Path inside the folder (with /) -> accepted file, hidden ones left out. Raises InputError where there is none."""
    found = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in inside.parts) and accepts(path):
            found[inside.as_posix()] = path
    if not found:
        raise InputError(folder, "holds no file of this kind", "Check the path.")
    return found


def stem(name: str) -> str:
    """The name, or path, without its suffix; `.nii.gz` is one."""
    for suffix in _SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name.removesuffix(Path(name).suffix)


def case_of_path(inside: str, settings: Settings) -> str:
    """What `case_from` finds in the path. Raises ConfigurationError where it finds nothing."""
    assert settings.case_from is not None
    case = first_group(settings.case_from, inside)
    if not case:
        raise ConfigurationError(
            f"--case-from {settings.case_from.pattern}", f"finds nothing in {inside}", "Widen the expression."
        )
    return case


def patient_of(case: str, inside: str, settings: Settings) -> str:
    """What `patient_from` finds in the path, else a BIDS subject, else the case itself.

    Raises ConfigurationError where `patient_from` finds nothing: half of the patients guessed would be worse.
    """
    if settings.patient_from is None:
        found = _BIDS_SUBJECT.search(inside) or _BIDS_SUBJECT.search(case)
        return found.group(1) if found else case
    patient = first_group(settings.patient_from, inside)
    if not patient:
        raise ConfigurationError(
            f"--patient-from {settings.patient_from.pattern}", f"finds nothing in {inside}", "Widen the expression."
        )
    return patient


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def missing_error(where: object, missing: Sequence[str], what: str = "prediction") -> InputError:
    """The error for cases without a prediction (or a row, a box, ...) that no rule covers."""
    return InputError(
        where,
        f"has no {what} for {len(missing)} case(s): {listed(missing)}",
        "Add them, or use --allow-missing skip (leave them out) or worst (score them as worst as can be).",
    )


def pair_cases(
    predicted: Collection[str], true: Collection[str], prediction: object, truth: object, settings: Settings
) -> tuple[list[str], list[str], list[str]]:
    """(cases to score in the order of the truths, those without prediction, predictions without truth).

    Under the rule `worst` the cases without prediction are among those to score. Raises InputError where nothing is
    shared, or where a side lacks cases that no rule covers.
    """
    if not true:
        raise InputError(truth, "has no case", "Give at least one.")
    missing = [case for case in true if case not in predicted]
    extra = [case for case in predicted if case not in true]
    if len(missing) == len(true):
        raise InputError(
            f"{prediction} and {truth}",
            f"share no case id ({listed(list(predicted))} against {listed(list(true))})",
            "Name the cases alike, or say by --case-from or --case-column where the id is.",
        )
    if settings.missing == "error":
        if missing:
            raise missing_error(prediction, missing)
        if extra:
            raise InputError(
                truth,
                f"has no truth for {len(extra)} prediction(s): {listed(extra)}",
                "Add them, or use --allow-missing skip or worst: predictions without truth are then left out.",
            )
    kept = [case for case in true if case in predicted or settings.missing == "worst"]
    return kept, missing, extra


def _named(
    found: Sequence[Mapping[str, Path]], folders: Sequence[Path], settings: Settings
) -> list[dict[str, tuple[str, Path]]]:
    """Per folder: case id -> (path inside, file)."""
    if settings.case_from:
        return [
            _by(files, folder, lambda i: case_of_path(i, settings))
            for files, folder in zip(found, folders, strict=True)
        ]
    unique = all(len({stem(Path(inside).name) for inside in files}) == len(files) for files in found)
    name = (lambda i: stem(Path(i).name)) if unique else stem
    return [_by(files, folder, name) for files, folder in zip(found, folders, strict=True)]


def _by(files: Mapping[str, Path], folder: Path, name: Callable[[str], str]) -> dict[str, tuple[str, Path]]:
    named: dict[str, tuple[str, Path]] = {}
    for inside, path in files.items():
        case = name(inside)
        if case in named:
            raise InputError(
                folder,
                f"has case {case} twice ({named[case][0]} and {inside})",
                "Remove one, or name cases by --case-from.",
            )
        named[case] = (inside, path)
    return named
