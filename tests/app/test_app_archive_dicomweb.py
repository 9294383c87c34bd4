"""An archive behind a real Orthanc: the same rows as from the files themselves, and nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from archive_corpus import rows, write_dicom_study

from groundglass.app.archive.run import Settings, run
from groundglass.core import NetworkError
from groundglass.io import DicomWeb
from orthanc import MISSING, free_port, orthanc


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_every_study_of_a_server(tmp_path: Path) -> None:
    uids = {write_dicom_study(tmp_path / "in", number) for number in range(12)}
    with orthanc(tmp_path / "orthanc") as server:
        with DicomWeb(server.dicomweb) as web:
            assert all(answer.is_stored for answer in web.store(sorted((tmp_path / "in").rglob("*.dcm"))))
        figures = run(server.dicomweb, tmp_path / "web", Settings(task="check", workers=2)).figures
        again = run(server.dicomweb, tmp_path / "web", Settings(task="check", workers=2, resume=True)).figures
    assert figures["studies"] == {"pending": 0, "done": 12, "failed": 0}
    assert again["done_now"] == 0
    run(str(tmp_path / "in"), tmp_path / "disk", Settings(task="check", workers=1))
    remote = {row["study"]: row["images"] for row in rows(tmp_path / "web")}
    assert remote == {row["study"]: row["images"] for row in rows(tmp_path / "disk")}
    assert set(remote) == uids
    assert not any((tmp_path / "web" / ".unfinished").rglob("*.dcm"))


def test_a_server_that_is_not_there_is_an_error_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="cannot be reached"):
        run(f"http://127.0.0.1:{free_port()}/dicom-web", tmp_path / "out", Settings(task="info", workers=1))
