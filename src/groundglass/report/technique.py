"""How the images were made, in a sentence each; facts from headers are carried as text, never interpreted."""

from __future__ import annotations

from groundglass.core import Image
from groundglass.report.templates import Statement, shipped_templates

MODALITIES = {
    "en": {
        "CR": "radiograph",
        "DX": "radiograph",
        "CT": "CT",
        "MR": "MRI",
        "PT": "PET",
        "US": "ultrasound",
        "MG": "mammogram",
        "ES": "endoscopy",
        "OP": "fundus photograph",
        "SM": "slide microscopy",
        "XA": "angiography",
        "NM": "scintigraphy",
        "OT": "image of unknown modality",
    },
    "id": {
        "CR": "radiografi",
        "DX": "radiografi",
        "US": "ultrasonografi",
        "OT": "citra dengan modalitas tidak diketahui",
    },
}


def modality_name(image: Image, language: str = "en") -> str:
    """The modality's plain name, its DICOM code where there is none."""
    return MODALITIES.get(language, {}).get(image.modality) or MODALITIES["en"].get(image.modality, image.modality)


def statements(image: Image, language: str = "en") -> tuple[Statement, ...]:
    """Modality, body part, view, contrast agent, grid and spacing of one image."""
    facts = image.acquisition
    details = [facts.body_part, facts.view, facts.description, facts.contrast and f"contrast agent {facts.contrast}"]
    shown = "; ".join(_plain(d) for d in details if d and _plain(d))
    modality = modality_name(image, language) + (f" ({shown})" if shown else "")
    size = " x ".join(map(str, image.shape))
    if not image.spacing_known:
        return (shipped_templates().statement("technique without scale", modality=modality, size=size),)
    spacing = " x ".join(f"{s:.2f}".rstrip("0").rstrip(".") for s in image.spacing)
    key = "technique volume" if image.is_volume else "technique flat"
    return (shipped_templates().statement(key, modality=modality, size=size, spacing=spacing),)


def _plain(text: str) -> str:
    """One line without control characters, at most 64 characters: a header may hold anything."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:64]
