"""Files and wires to core and back: DICOM, NIfTI, NRRD/MHA, raster images, video, SEG and SR."""

from __future__ import annotations

from importlib import import_module

# Name -> module; readers and writers bring pydicom, nibabel, SimpleITK or highdicom only when they are used.
_WHERE = {
    "atomic_path": "atomic",
    "read_image": "read",
    "read_study": "read",
    "write_bytes_atomic": "atomic",
    "write_nifti": "nifti_write",
    "write_text_atomic": "atomic",
}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(import_module(f"groundglass.io.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
