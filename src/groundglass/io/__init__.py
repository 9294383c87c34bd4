"""Files and wires to core and back: DICOM, NIfTI, NRRD/MHA, raster images, video, SEG and SR."""

from __future__ import annotations

from groundglass.core.lazy import lazy_exports

# Name -> module; readers and writers bring pydicom, nibabel, SimpleITK or highdicom only when they are used.
_EXPORTS = {
    "Delivered": "delivered",
    "DicomWeb": "dicomweb",
    "Deidentified": "deidentification",
    "DeidentifyOptions": "deidentify_rules",
    "SimulatedFilm": "dicom_dx",
    "Peer": "dicom_association",
    "Sender": "dicom_send",
    "atomic_path": "atomic",
    "check_pixels": "quality",
    "deidentify": "deidentification",
    "has_picture": "quality",
    "is_dicom": "dicom_source",
    "read_image": "read",
    "read_kspace": "kspace",
    "read_mask": "masks",
    "read_seg": "dicom_seg_read",
    "read_sr": "dicom_sr_read",
    "read_study": "read",
    "segment_colour": "colour",
    "to_fhir": "fhir",
    "write_bytes_atomic": "atomic",
    "write_fhir": "fhir",
    "write_json_atomic": "atomic",
    "write_labels": "nifti_write",
    "write_nifti": "nifti_write",
    "write_seg": "dicom_seg",
    "write_sr": "dicom_sr",
    "write_simulated_dx": "dicom_dx",
    "write_text_atomic": "atomic",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
