"""Numbers from masks: lesions, organs, vessels, radiographic indices, brain."""

from importlib import import_module

_EXPORTS = {
    "Atlas": "mni152",
    "Calipers": "diameters",
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
    "VesselContact": "circumference",
    "WorldTransform": "world_transform",
    "asymmetry_index": "brain",
    "attenuation_measurements": "lesion",
    "attenuation_of": "organ",
    "clean": "brain_tumour",
    "components": "instances",
    "depth_below_surface": "location",
    "evans_index": "brain",
    "extent_of_resection": "resection",
    "feret_diameter": "diameters",
    "foci": "brain_tumour",
    "in_template": "brain_tumour",
    "intensity_of": "intensity",
    "is_detected": "instances",
    "laterality": "brain_tumour",
    "measure_organ": "organ",
    "mni152_regions": "mni152",
    "mni152_template": "mni152",
    "mni152_tissue": "mni152",
    "overlaps": "brain_tumour",
    "pancreas_parts": "location",
    "parenchymal_fraction": "brain",
    "read_atlas": "mni152",
    "recist_diameters": "diameters",
    "region_masks": "brain_tumour",
    "register_brain": "registration",
    "regularity": "flat_shape",
    "resample": "world_transform",
    "resectability": "brain_tumour",
    "segments_of": "location",
    "shape_measurements": "lesion",
    "shape_of": "shape",
    "size_measurements": "lesion",
    "surface_gap_mm": "brain_tumour",
    "t_stage": "tstage",
    "uptake_measurements": "lesion",
    "uptake_of": "intensity",
    "vascular_resectability": "tstage",
    "vessel_contact": "circumference",
    "volume_ml": "volume",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> object:
    if name in _EXPORTS:
        return getattr(import_module(f"groundglass.measurement.{_EXPORTS[name]}"), name)
    raise AttributeError(name)
