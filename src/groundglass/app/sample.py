"""Sample images that the installation itself brings: simulated, or openly licensed templates."""

from __future__ import annotations

from pathlib import Path

from groundglass.core import ConfigurationError


def write_sample(kind: str, path: Path) -> Path:
    """Write the sample of this kind to `path`; the path. Raises ConfigurationError for another kind."""
    if kind == "radiograph":
        from groundglass.synthesis import write_sample_radiograph

        write_sample_radiograph(path)
    elif kind == "brain":
        from groundglass.measurement import write_template

        write_template(path)
    else:
        raise ConfigurationError(kind, "is not a sample", "There are radiograph and brain.")
    return path
