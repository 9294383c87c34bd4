"""The modality that a NIfTI file states outside of its header: in a JSON sidecar, else in the suffix of its name.

Suffixes are those of the Brain Imaging Data Structure 1.9 (bids-specification.readthedocs.io), without words that name
other things elsewhere (angio, phase, events). The sidecar's key is dcm2niix's, which copies DICOM's (0008,0060).
"""

from __future__ import annotations

import json
import re
from pathlib import Path

_MR = (
    "T1w", "T2w", "PDw", "T2starw", "FLAIR", "PDT2", "inplaneT1", "inplaneT2", "T1map", "T2map", "T2starmap", "R1map",
    "R2map", "R2starmap", "PDmap", "MTRmap", "MTsat", "MP2RAGE", "UNIT1", "MESE", "MEGRE", "MPM", "MTS", "MTR", "dwi",
    "bold", "sbref", "asl", "m0scan", "epi",
)  # fmt: skip
_SUFFIXES = dict.fromkeys(_MR, "MR") | {"pet": "PT"}
_ENDING = re.compile(r"\.(nii(\.gz)?|hdr|img)$", re.IGNORECASE)
_DICOM_MODALITY = re.compile(r"[A-Z]{2}")
_MOST_BYTES = 1 << 20


def stated_modality(path: Path, name: str) -> str | None:
    """DICOM's code ("MR", "PT", "CT", ...) by the sidecar of `path`, else by `name`, the file as delivered.

    `name` may be ARCHIVE!MEMBER. None where neither says. A sidecar that is damaged or of more than 1 MiB says nothing.
    """
    return _by_sidecar(path.with_name(_stem(path.name) + ".json")) or _SUFFIXES.get(
        _stem(re.split(r"[/\\!]", name)[-1]).rsplit("_", 1)[-1]
    )


def _stem(name: str) -> str:
    return _ENDING.sub("", name)


def _by_sidecar(path: Path) -> str | None:
    try:
        if path.is_symlink() or path.stat().st_size > _MOST_BYTES:
            return None
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    stated = held.get("Modality") if isinstance(held, dict) else None
    return stated if isinstance(stated, str) and _DICOM_MODALITY.fullmatch(stated) else None
