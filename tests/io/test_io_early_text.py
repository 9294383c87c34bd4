"""The study of a DICOM file from its first KB is the one that its whole header tells."""

from __future__ import annotations

from pathlib import Path

import pytest
from dicom_factory import write_series
from pydicom import dcmread

from groundglass.core import GroundglassError
from groundglass.io.dicom_header import early_text, quiet, read_header, value_of
from groundglass.io.kinds import kind_of


def test_every_file_of_the_zoo(data: Path) -> None:
    """All transfer syntaxes, with and without preamble; what has no header raises what its reader raises."""
    files = [path for path in sorted((data / "dicom-zoo").rglob("*")) if path.is_file() and kind_of(path) == "dicom"]
    assert len(files) > 80
    with quiet():
        for path in files:
            try:
                expected = str(value_of(read_header(path).dataset, "StudyInstanceUID") or "").strip()
            except GroundglassError as error:
                with pytest.raises(type(error)):
                    early_text(path, "StudyInstanceUID")
                continue
            assert early_text(path, "StudyInstanceUID") == expected, path


@pytest.mark.parametrize("length", range(7400, 8200, 24))
def test_a_value_that_the_first_read_cuts(tmp_path: Path, length: int) -> None:
    """The UID lies anywhere around the end of what is read first."""
    write_series(tmp_path, [(0, 0, 0)], PatientID="CUT")
    (path,) = tmp_path.iterdir()
    dataset = dcmread(path)
    dataset.PatientComments = "x" * length
    dataset.StudyInstanceUID = "1.2.826.0.1.3680043.10.1561.123456789012345678901234567890"
    dataset.save_as(path)
    with quiet():
        assert early_text(path, "StudyInstanceUID") == dataset.StudyInstanceUID
        assert early_text(path, "PatientID") == "CUT"
