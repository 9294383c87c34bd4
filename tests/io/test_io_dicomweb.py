"""DICOMweb against a real Orthanc, with dicomweb-client as the independent reader, and against a server that fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest
from dicom_factory import write_series
from hypothesis import given
from hypothesis import strategies as st

from groundglass.core import ConfigurationError, InputError, NetworkError
from groundglass.io.dicomweb import DicomWeb
from groundglass.io.multipart import Truncated, boundary_of, parts
from orthanc import MISSING, Orthanc, orthanc


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    if MISSING:
        pytest.skip(MISSING)
    with orthanc(tmp_path_factory.mktemp("orthanc")) as server:
        yield server


def test_what_is_stored_is_found_and_comes_back_byte_for_byte(archive: Orthanc, tmp_path: Path) -> None:
    from dicomweb_client import DICOMwebClient

    write_series(tmp_path / "sent", [(0, 0, float(z)) for z in range(12)], PatientID="STORED")
    sent = sorted((tmp_path / "sent").iterdir())
    with DicomWeb(archive.dicomweb) as web:
        answers = web.store(sent)
        assert [a.path for a in answers] == sent
        assert all(a.is_stored and a.problem == "" for a in answers)
        assert all(a.is_stored for a in web.store(sent)), "storing again is no error"
        (study,) = web.studies(PatientID="STORED")
        assert web.studies(PatientID="ST*RE?") == [study] and web.studies(PatientID="S?D") == []
        uid = str(study.StudyInstanceUID)
        assert study.NumberOfStudyRelatedInstances == 12
        (series,) = web.series(uid, Modality="CT")
        assert web.series(uid, Modality="MR") == []
        assert len(web.instances(uid, str(series.SeriesInstanceUID))) == 12
        assert {str(m.SOPInstanceUID) for m in web.metadata(uid)} == {a.uid for a in answers}
        assert [str(s.StudyInstanceUID) for s in web.all_studies(page=1, PatientID="STORED")] == [uid]
        counts: list[int] = []
        got = web.retrieve(uid, tmp_path / "got", progress=counts.append)
    by_uid = {a.uid: a.path for a in answers}
    assert counts == list(range(1, 13))
    assert {f.stem for f in got} == set(by_uid)
    assert all(f.read_bytes() == by_uid[f.stem].read_bytes() for f in got)
    other = DICOMwebClient(archive.dicomweb)
    assert {str(d.SOPInstanceUID) for d in other.retrieve_study(uid)} == set(by_uid)


def test_a_file_that_is_no_dicom_is_refused_alone(archive: Orthanc, tmp_path: Path) -> None:
    write_series(tmp_path / "s", [(0, 0, 0)], PatientID="MIXED")
    (good,) = (tmp_path / "s").iterdir()
    bad = tmp_path / "bad.dcm"
    bad.write_bytes(b"no image " * 50)
    with DicomWeb(archive.dicomweb) as web:
        first, second = web.store([bad, good])
    assert second.is_stored
    assert not first.is_stored and not first.may_succeed_later
    assert "cannot understand" in first.problem


def test_what_is_not_there_or_not_asked_rightly_is_a_typed_error(archive: Orthanc, tmp_path: Path) -> None:
    with DicomWeb(archive.dicomweb) as web:
        with pytest.raises(InputError, match="no such study"):
            web.retrieve("1.2.3.4", tmp_path / "none")
        with pytest.raises(InputError, match="not a DICOM UID"):
            web.retrieve("../../etc", tmp_path / "none")
        with pytest.raises(ConfigurationError, match="not a DICOM keyword"):
            web.studies(PatientNumber="1")
    assert not (tmp_path / "none").exists()
    with pytest.raises(ConfigurationError, match="not the address"):
        DicomWeb("localhost:8042")
    with DicomWeb("http://127.0.0.1:9/dicom-web", retries=0) as web, pytest.raises(NetworkError, match="reached"):
        web.studies()


class _Failing(BaseHTTPRequestHandler):
    """Answers 503, then breaks off in the middle of a body, then answers well; counts the requests."""

    asked = 0

    def do_GET(self) -> None:
        _Failing.asked += 1
        body = b"--b\r\nContent-Type: application/dicom\r\n\r\nabc\r\n--b--"
        if self.headers["Authorization"] not in ("Bearer key", "Basic bWU6c2VjcmV0"):
            self.send_response(401)
            body = b""
        elif self.path.startswith("/x/studies/9"):
            # A server that wraps nothing, and one that is no DICOMweb at all.
            body = b"DICOM" if self.path.endswith("9.1") else b"<html>"
            self.send_response(200)
            self.send_header("Content-Type", "application/dicom" if self.path.endswith("9.1") else "text/html")
        elif _Failing.asked == 1:
            self.send_response(503)
            body = b""
        else:
            self.send_response(200)
        if not self.path.startswith("/x/studies/9"):
            self.send_header("Content-Type", 'multipart/related; type="application/dicom"; boundary="b"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:20] if _Failing.asked == 2 else body)

    def log_message(self, *_arguments: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def failing() -> Iterator[str]:
    _Failing.asked = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Failing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_failures_that_pass_are_tried_again_and_leave_no_part(failing: str, tmp_path: Path) -> None:
    with DicomWeb(f"http://{failing}/x", token="key") as web:
        (file,) = web.retrieve("1.2", tmp_path)
    assert _Failing.asked == 3
    assert file.read_bytes() == b"abc"
    assert list(tmp_path.iterdir()) == [file]


def test_failures_do_not_show_the_password(failing: str, tmp_path: Path) -> None:
    with DicomWeb(f"http://me:secret@{failing}/x", retries=0) as web:
        with pytest.raises(NetworkError, match="status 503") as caught:
            web.retrieve("1.2", tmp_path)
        assert "secret" not in str(caught.value)
        with pytest.raises(NetworkError, match="broke off"):
            web.retrieve("1.2", tmp_path)
        assert len(web.retrieve("1.2", tmp_path)) == 1
    with DicomWeb(f"http://{failing}/x", token="wrong") as web, pytest.raises(ConfigurationError, match="access"):
        web.retrieve("1.2", tmp_path)


def test_a_single_instance_may_come_unwrapped_and_a_page_is_no_instance(failing: str, tmp_path: Path) -> None:
    with DicomWeb(f"http://{failing}/x", token="key") as web:
        (file,) = web.retrieve("9.1", tmp_path)
        assert file.read_bytes() == b"DICOM"
        with pytest.raises(InputError, match="answers WADO-RS with text/html"):
            web.retrieve("9.2", tmp_path)


@given(
    bodies=st.lists(st.binary(max_size=60).filter(lambda b: b"--mark" not in b), max_size=4),
    cuts=st.lists(st.integers(0, 400), max_size=8),
)
def test_parts_survive_any_cutting_of_the_body(bodies: list[bytes], cuts: list[int]) -> None:
    whole = b"preamble\r\n" + b"".join(b"--mark\r\nA: b\r\n\r\n" + body + b"\r\n" for body in bodies) + b"--mark--"
    edges = [0, *sorted(c for c in cuts if c < len(whole)), len(whole)]
    chunks = [whole[a:b] for a, b in pairwise(edges)]
    found = [(headers, b"".join(content)) for headers, content in parts(chunks, b"mark")]
    assert found == [({"a": "b"}, body) for body in bodies]
    with pytest.raises(Truncated):
        list(parts([whole[:-3]], b"mark"))


def test_boundaries_are_read_quoted_or_not() -> None:
    assert boundary_of('multipart/related; type="application/dicom"; boundary="a b"') == b"a b"
    assert boundary_of("multipart/related; boundary=x1") == b"x1"
    assert boundary_of("application/json") is None
