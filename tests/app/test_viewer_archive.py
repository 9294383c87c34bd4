"""The viewer lists what a real Orthanc has, and opens it."""

from __future__ import annotations

import pytest
from viewer_room import room, sample_radiograph

from orthanc import MISSING, orthanc


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_a_study_of_an_archive_is_listed_and_opened(tmp_path):
    from groundglass.io.dicomweb import DicomWeb

    film = sample_radiograph(tmp_path)
    with orthanc(tmp_path / "orthanc") as archive:
        with DicomWeb(archive.dicomweb) as web:
            web.store([film])
        with room(tmp_path / "data", "--dicomweb", archive.dicomweb) as held:
            held.page.get_by_text("DICOMweb", exact=True).click()
            held.page.get_by_label("Patient ID begins with").fill("SIMUL")
            held.page.keyboard.press("Enter")
            held.page.get_by_label("Studies of the DICOMweb server").locator("button", has_text="SIMULATED").click()
            held.view().wait_for()
            held.settle()
            (study,) = held.ask("/studies")["studies"]
            assert study["origin"] == "dicomweb" and study["images"] == 1
