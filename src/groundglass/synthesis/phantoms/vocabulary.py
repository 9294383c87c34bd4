"""Which ontology terms each generator can plant: the classes of its labels, in a fixed order."""

from __future__ import annotations

from groundglass.core import ConfigurationError

_TERMS = {
    "chest-ct": (
        "pulmonary nodule", "lung lesion", "consolidation", "pleural effusion", "pneumothorax", "cardiomegaly",
        "rib fracture", "vertebral compression fracture",
    ),
    "abdomen-ct": (
        "liver cyst", "hepatocellular carcinoma", "liver lesion", "kidney cyst", "renal cell carcinoma",
        "nephrolithiasis", "pancreatic ductal adenocarcinoma", "pancreas cyst", "cholelithiasis", "ascites",
        "splenomegaly", "hepatic steatosis", "vertebral compression fracture",
    ),
    "petct": ("lung lesion", "lymph node lesion", "bone lesion", "liver lesion"),
    "brain-mr": (
        "cerebral infarction", "intracranial hemorrhage", "brain tumour", "white matter lesion", "hydrocephalus",
        "cerebral atrophy",
    ),
    "spine-mr": ("disc herniation", "spinal canal stenosis", "vertebral compression fracture", "bone metastasis"),
    "radiograph": ("pulmonary nodule", "consolidation", "pleural effusion", "pneumothorax", "cardiomegaly"),
    "retina": ("microaneurysm", "retinal hemorrhage", "hard exudate", "drusen"),
    "microscopy": ("red blood cell", "white blood cell", "platelet"),
    "ultrasound": ("cyst", "mass"),
}  # fmt: skip


def planted_terms(kind: str) -> tuple[str, ...]:
    """The terms of a kind. Raises ConfigurationError for another kind."""
    if kind not in _TERMS:
        raise ConfigurationError(kind, "has no list of planted terms", f"Use one of {', '.join(_TERMS)}.")
    return _TERMS[kind]
