"""De-identification of DICOM files by the basic profile of PS3.15 Annex E."""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from groundglass import __version__
from groundglass.core.errors import ConfigurationError, GroundglassError, InputError, UnsupportedError
from groundglass.io.atomic import atomic_path
from groundglass.io.deidentify_rules import BASIC_PROFILE, CLEAN_STRUCTURED_CONTENT, DeidentifyOptions
from groundglass.io.deidentify_values import SHORTEST, Cleaner
from groundglass.io.dicom_header import quiet
from groundglass.io.sources import sources_of
from groundglass.io.uids import hashed_uid

METHOD = "groundglass: PS3.15 Annex E basic profile"
DATES = {"remove": "REMOVED", "shift": "MODIFIED", "keep": "UNMODIFIED"}
ENCAPSULATED_DOCUMENTS = "1.2.840.10008.5.1.4.1.1.104."
MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
# Screens with text over the image: ultrasound, secondary capture, endoscopy and photography, and scanned paper.
BURNED_IN_MODALITIES = {"US", "IVUS", "OT", "SC", "ES", "XC", "GM", "DG", "DOC", "EPS"}
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@dataclass(slots=True)
class Deidentified:
    """What became of each file: `written` (source, target), `skipped` (source, why), warnings, counts of actions."""

    written: list[tuple[str, Path]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def deidentify(
    paths: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    secret: str | bytes | None = None,
    options: DeidentifyOptions | None = None,
    allow_burned_in: bool = False,
) -> Deidentified:
    """Write a de-identified copy of every DICOM file of `paths` (files, folders, zips) under `out`.

    Attributes are treated by PS3.15 Table E.1-1 at every depth; private attributes, curves, overlays, attributes
    that the dictionary does not know, the preamble and foreign file meta go. Names and identifiers that were removed
    are removed wherever else they are repeated. UIDs become keyed hashes (HMAC-SHA256 of `secret`), so that
    references between files hold and the same secret gives the same files; without a secret one is drawn and
    thrown away. Files are named by patient pseudonym, study, series and instance. Pixels stay as they are, byte
    for byte: faces and burned-in text are not looked for. Files that likely have burned-in text (by their own
    statement, or ultrasound, secondary capture, photographs unless they state none) are skipped unless
    `allow_burned_in`. Structured reports keep their structure and codes; their texts become dummies.

    A file that cannot be used is reported in `skipped` and the rest is done. Raises InputError when a path does
    not exist, ConfigurationError for an empty secret.
    """
    if secret is not None and not secret:
        raise ConfigurationError("secret", "is empty", "Pass at least 16 random characters, or none.")
    key = secrets.token_bytes(32) if secret is None else secret.encode() if isinstance(secret, str) else secret
    cleaner = Cleaner(key, options or DeidentifyOptions())
    result = Deidentified(counts=cleaner.counts)

    def skip(error: GroundglassError) -> None:
        result.skipped.append((error.input_name, f"{error.problem}. {error.remedy}"))

    targets: dict[Path, str] = {}
    for path in paths:
        for source in sources_of(path, skip):
            try:
                target = _file(source.path, source.label, Path(out), cleaner, allow_burned_in, result.warnings, targets)
            except GroundglassError as error:
                result.skipped.append((source.label, f"{error.problem}. {error.remedy}"))
                continue
            targets[target] = source.label
            result.written.append((source.label, target))
    return result


def _file(
    path: Path, label: str, out: Path, cleaner: Cleaner, allow: bool, warnings: list[str], targets: dict[Path, str]
) -> Path:
    dataset = _read(path, label)
    risk = _burned_in_risk(dataset)
    if risk and not allow:
        raise UnsupportedError(label, f"may show text in its pixels ({risk})", "Look at it, then allow burned-in text.")
    if risk:
        warnings.append(f"{label}: may show text in its pixels ({risk}); they are unchanged.")
    with quiet():
        try:
            cleaner.clean(dataset)
            _state(dataset, cleaner)
            _search_pixels(dataset, cleaner, label)
            target = (
                out / cleaner.pseudonym / _folder(dataset, "StudyInstanceUID") / _folder(dataset, "SeriesInstanceUID")
            )
            target = target / f"{dataset.SOPInstanceUID}.dcm"
            if target in targets:
                raise InputError(label, f"has the SOP Instance UID of {targets[target]}", "Keep one of the two.")
            with atomic_path(target) as temporary:
                dataset.save_as(temporary, enforce_file_format=True)
        except GroundglassError:
            raise
        except Exception as error:
            # A damaged value shows when it is encoded, in any of pydicom's many error types.
            raise InputError(
                label, f"cannot be written ({type(error).__name__}: {error})", "Export it again."
            ) from error
    return target


def _read(path: Path, label: str) -> Dataset:
    with quiet():
        try:
            dataset = pydicom.dcmread(path)
        except Exception as error:
            raise UnsupportedError(label, f"is not a DICOM file ({error})", "Pass DICOM files.") from error
    uid = str(dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID") or "")
    if dataset.file_meta.get("MediaStorageSOPClassUID") == MEDIA_DIRECTORY:
        raise UnsupportedError(label, "is a DICOMDIR, an index with names", "Make a new one of the written files.")
    if uid.startswith(ENCAPSULATED_DOCUMENTS) or "EncapsulatedDocument" in dataset:
        raise UnsupportedError(label, "holds an encapsulated document", "De-identify the document by other means.")
    for keyword in ("SOPClassUID", "SOPInstanceUID"):
        if not dataset.get(keyword):
            setattr(dataset, keyword, dataset.file_meta.get(f"MediaStorage{keyword}"))
        if not dataset.get(keyword):
            raise InputError(label, f"has no {keyword}", "Export the file again.")
    return dataset


def _burned_in_risk(dataset: Dataset) -> str:
    """Why text must be feared in the pixels; empty where it need not be."""
    stated = str(dataset.get("BurnedInAnnotation") or "").upper()
    if stated == "YES":
        return "it says so"
    if any(e.tag.group >> 8 == 0x60 and e.tag.element == 0x0102 and e.value for e in dataset):
        return "an overlay lies in the unused bits of its pixels"
    if not any(keyword in dataset for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        return ""
    if stated == "NO":
        return ""
    if f"{dataset.SOPClassUID}.".startswith(f"{SECONDARY_CAPTURE}."):
        return "a secondary capture"
    modality = str(dataset.get("Modality") or "")
    return f"modality {modality}" if modality in BURNED_IN_MODALITIES else ""


def _state(dataset: Dataset, cleaner: Cleaner) -> None:
    """Say what was done (PS3.15 E.2, PS3.3 C.7.1.1) and write a file meta group of our own."""
    from groundglass.io.dicom_codes import concept

    options = cleaner.options
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = [METHOD, f"groundglass {__version__}"]
    codes = [BASIC_PROFILE, *options.taken.values()]
    if "ContentSequence" in dataset:
        codes.append(CLEAN_STRUCTURED_CONTENT)
    dataset.DeidentificationMethodCodeSequence = [concept(code) for code in codes]
    dataset.LongitudinalTemporalInformationModified = DATES[options.dates]
    old = dataset.file_meta
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = old.TransferSyntaxUID
    meta.ImplementationClassUID = UID(hashed_uid("implementation"))
    meta.ImplementationVersionName = f"GROUNDGLASS{__version__}"[:16]
    dataset.file_meta = meta
    dataset.preamble = b"\0" * 128


def _search_pixels(dataset: Dataset, cleaner: Cleaner, label: str) -> None:
    """Compressed frames can hold comments: refuse a stream in which a removed identifier stands."""
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated or "PixelData" not in dataset:
        return
    stream = dataset.PixelData.lower()
    for word in cleaner.removed:
        if len(word) > SHORTEST and word.isascii() and word.encode() in stream:
            raise UnsupportedError(label, "repeats an identifier inside its compressed pixels", "Decompress it first.")


def _folder(dataset: Dataset, keyword: str) -> str:
    return str(dataset.get(keyword) or "unknown")
