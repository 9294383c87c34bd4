"""BIDS 1.10: raw images by subject and session, label maps and reports as a derivative.

PET has its folder in BIDS; other modalities lie in folders of their own modality's name, which `.bidsignore` lists
(as VerSe and other CT sets do).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from groundglass.io import write_nifti
from groundglass.io.atomic import write_json_atomic, write_text_atomic
from groundglass.synthesis.phantoms.layouts import files
from groundglass.synthesis.phantoms.phantom import Phantom

_FOLDERS = {"PT": ("pet", "pet"), "CT": ("ct", "ct"), "GM": ("micr", "BF")}
_SEQUENCES = {
    "T1": ("anat", "T1w"), "T1c": ("anat", "ce-gadolinium_T1w"), "T2": ("anat", "T2w"), "FLAIR": ("anat", "FLAIR"),
    "STIR": ("anat", "acq-STIR_T2w"), "DWI b0": ("dwi", "acq-b0_dwi"), "DWI b1000": ("dwi", "acq-b1000_dwi"),
    "ADC": ("dwi", "ADC"),
}  # fmt: skip
"""Diffusion without directions (a trace image) is none that BIDS knows."""


def write(phantom: Phantom, folder: Path) -> dict[str, Any]:
    """sub-X/ses-N/MODALITY/*.nii.gz with JSON side files; derivatives/phantom with *_dseg, reports and truth."""
    subject, session = f"sub-{phantom.patient}", f"ses-{phantom.visit + 1:02d}"
    stem = f"{subject}_{session}"
    for image in phantom.images:
        place, suffix = _FOLDERS.get(image.modality, (image.modality.lower(), image.modality.lower()))
        if image.modality == "MR":
            place, suffix = _SEQUENCES[image.name.split(" ", 1)[1]]
        home = folder / subject / session / place
        files.write_image(image, home, f"{stem}_{suffix}")
        side = {
            "Modality": image.modality, "Units": image.units or "arbitrary", "Simulated": True,
            "Manufacturer": "groundglass phantom", **dict(image.acquisition.facts),
        }  # fmt: skip
        write_json_atomic(home / f"{stem}_{suffix}.json", side)
    home = folder / "derivatives" / "phantom" / subject / session
    masked = [(int(f.id[1:]), f.where.mask) for f in phantom.findings if f.where.mask is not None]
    write_nifti(files.label_map(masked, phantom.image.shape), phantom.image, home / f"{stem}_desc-findings_dseg.nii.gz")
    rows = "".join(f"{f.id[1:]}\t{f.what.name}\t{f.where.side or 'n/a'}\n" for f in phantom.findings)
    write_text_atomic(home / f"{stem}_desc-findings_dseg.tsv", "index\tname\tside\n" + rows)
    write_text_atomic(home / f"{stem}_report.txt", files.report_text(phantom))
    write_json_atomic(home / f"{stem}_phantom.json", files.truth(phantom))
    centroids = _centroids(phantom)
    if centroids:
        write_json_atomic(home / f"{stem}_desc-bodies_ctd.json", [{"direction": ["R", "A", "S"]}, *centroids])
    return {"patient": phantom.patient, "visit": phantom.visit, "date": phantom.date}


def _centroids(phantom: Phantom) -> list[dict[str, Any]]:
    """Vertebral bodies as VerSe numbers them (C1 = 1, T1 = 8, L1 = 20, S1 = 26, T13 = 28), in voxels."""
    found = []
    for name, point in phantom.landmarks.items():
        if not name.endswith("vertebral body"):
            continue
        level = name.split()[0]
        label = {"T13": 28, "S1": 26}.get(level) or {"C": 0, "T": 7, "L": 19}[level[0]] + int(level[1:])
        found.append({"label": label, **{axis: round(v, 2) for axis, v in zip("XYZ", point, strict=True)}})
    return sorted(found, key=lambda row: row["label"])


def finish(records: list[dict[str, Any]], folder: Path, kind: str) -> None:
    """dataset_description.json (raw and derivative), participants.tsv, .bidsignore, README."""
    description = {
        "Name": f"groundglass phantoms: {kind}", "BIDSVersion": "1.10.0", "DatasetType": "raw", "License": "CC0",
        "GeneratedBy": [{"Name": "groundglass"}],
    }  # fmt: skip
    write_json_atomic(folder / "dataset_description.json", description)
    derived = {**description, "DatasetType": "derivative", "GeneratedBy": [{"Name": "groundglass phantom truth"}]}
    write_json_atomic(folder / "derivatives" / "phantom" / "dataset_description.json", derived)
    subjects = sorted({record["patient"] for record in records})
    write_text_atomic(folder / "participants.tsv", "participant_id\n" + "".join(f"sub-{s}\n" for s in subjects))
    write_text_atomic(folder / ".bidsignore", "**/ct/\n**/dwi/\n**/dx/\n**/us/\n**/op/\n**/micr/\n")
    write_text_atomic(folder / "README", f"Simulated {kind} examinations. No patient was imaged.\n")
