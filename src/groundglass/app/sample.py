"""Sample images that the installation itself brings: simulated, or openly licensed templates."""

from __future__ import annotations

from pathlib import Path

from groundglass.core import ConfigurationError, Image


def write_sample(kind: str, path: Path) -> Path:
    """Write the sample of this kind to `path`; the path. Raises ConfigurationError for another kind."""
    if kind == "radiograph":
        from groundglass.synthesis import write_sample_radiograph

        write_sample_radiograph(path)
    elif kind == "brain":
        from groundglass.io import write_nifti
        from groundglass.measurement import mni152_template

        template = mni152_template()
        image = Image.of(template.t1, template.affine, name=template.name, modality="MR")
        write_nifti(template.t1, image, path)
    else:
        raise ConfigurationError(kind, "is not a sample", "There are radiograph and brain.")
    return path
