"""Numbers from masks: lesions, organs, vessels, radiographic indices, brain."""

from importlib import import_module

_EXPORTS = {
    "Atlas": "mni152",
    "Foci": "brain_tumour",
    "Grid": "world_transform",
    "Laterality": "brain_tumour",
    "MNI_1MM": "world_transform",
    "Overlap": "brain_tumour",
    "Region": "mni152",
    "Registration": "registration",
    "Resectability": "brain_tumour",
    "Resection": "resection",
    "Template": "mni152",
    "WorldTransform": "world_transform",
    "clean": "brain_tumour",
    "components": "components",
    "extent_of_resection": "resection",
    "foci": "brain_tumour",
    "in_template": "brain_tumour",
    "laterality": "brain_tumour",
    "mni152": "mni152",
    "mni152_regions": "mni152",
    "mni152_tissue": "mni152",
    "overlaps": "brain_tumour",
    "read_atlas": "mni152",
    "region_masks": "brain_tumour",
    "register_brain": "registration",
    "resample": "world_transform",
    "resectability": "brain_tumour",
    "shape_measurements": "lesion",
    "size_measurements": "lesion",
    "surface_gap_mm": "brain_tumour",
    "volume_ml": "volume",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> object:
    if name in _EXPORTS:
        return getattr(import_module(f"groundglass.measurement.{_EXPORTS[name]}"), name)
    raise AttributeError(name)
