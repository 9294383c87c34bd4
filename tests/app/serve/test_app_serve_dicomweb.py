"""A study is fetched from a real Orthanc by its UID; what does not answer is a problem, not a dead server."""

from __future__ import annotations

import pydicom
import pytest

from groundglass.io import DicomWeb
from orthanc import MISSING, free_port, orthanc


@pytest.mark.skipif(bool(MISSING), reason=MISSING or "-")
def test_a_study_of_the_archive_is_opened_by_its_uid(serve, radiograph, tmp_path):
    uid = str(pydicom.dcmread(radiograph, stop_before_pixels=True).StudyInstanceUID)
    with orthanc(tmp_path / "orthanc") as archive:
        with DicomWeb(archive.dicomweb) as client:
            assert all(answer.is_stored for answer in client.store([radiograph]))
        with serve(dicomweb=archive.dicomweb) as held:
            answer = held.http.post("/studies", json={"dicomweb": uid})
            assert answer.status_code == 201, answer.text
            study = answer.json()
            assert (study["origin"], study["uid"], study["modalities"]) == ("dicomweb", uid, ["DX"])
            sent = held.study(radiograph)["id"]
            fetched, direct = (
                held.http.get(f"/studies/{each}/images/i1/volume.nii.gz").content for each in (study["id"], sent)
            )
            assert fetched == direct
            assert held.http.post("/studies", json={"dicomweb": "1.2.3"}).status_code == 422
            assert held.http.post("/studies", json={"dicomweb": "1/../2"}).status_code == 422
            assert [found["uid"] for found in held.http.get("/dicomweb/studies").json()["studies"]] == [uid]


def test_an_archive_that_is_not_there(serve):
    with serve() as held:
        assert held.http.post("/studies", json={"dicomweb": "1.2.3"}).status_code == 409
    with serve(dicomweb=f"http://127.0.0.1:{free_port()}/dicom-web") as held:
        answer = held.http.post("/studies", json={"dicomweb": "1.2.3"})
        assert answer.status_code == 502 and answer.json()["type"] == "urn:groundglass:problem:no-answer"
        assert held.http.get("/studies").json() == {"studies": [], "total": 0}
