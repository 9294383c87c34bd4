"""C-STORE to a real Orthanc, to dcmtk's storescp and to a peer that breaks off."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_factory import slice_of, write_series
from pydicom import dcmread
from pydicom.uid import ImplicitVRLittleEndian, JPEGLSLossless, generate_uid
from pynetdicom import AE, evt

from groundglass.core import ConfigurationError, NetworkError, UnsupportedError
from groundglass.io import Peer, Sender
from groundglass.io.dicom_association import prompt
from orthanc import MISSING, Orthanc, free_port, orthanc

CT = "1.2.840.10008.5.1.4.1.1.2"


def compressed(path: Path) -> Path:
    """A CT slice in JPEG-LS."""
    pixels = (np.indices((64, 48)).sum(0) * 9).astype(np.int16)
    made = slice_of(pixels, (0, 0, 0), PatientID="PACKED", StudyInstanceUID=generate_uid())
    made.compress(JPEGLSLossless, generate_instance_uid=False)
    made.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    if MISSING:
        pytest.skip(MISSING)
    with orthanc(tmp_path_factory.mktemp("orthanc"), DicomCheckCalledAet=True) as server:
        yield server


def test_an_archive_holds_what_was_sent(archive: Orthanc, tmp_path: Path) -> None:
    write_series(tmp_path / "s", [(0, 0, float(z)) for z in range(9)], PatientID="SENT")
    files = [*sorted((tmp_path / "s").iterdir()), compressed(tmp_path / "packed.dcm")]
    with Sender(Peer.parse(archive.peer)) as sender:
        sender.echo()
        answers = sender.store(files)
        again = sender.store(files[:3])
        assert sender.store([]) == []
    assert [a.path for a in answers] == files
    assert all(a.is_stored for a in (*answers, *again))
    assert {i["SOPInstanceUID"] for i in archive.instances()} == {a.uid for a in answers}
    (study,) = [s for s in archive.rest("/studies?expand") if s["PatientMainDicomTags"]["PatientID"] == "PACKED"]
    (instance,) = archive.rest(f"/studies/{study['ID']}/instances")
    assert archive.rest(f"/instances/{instance['ID']}/metadata/TransferSyntax?raw", decode=False) == JPEGLSLossless


def test_a_peer_that_takes_plain_pixels_only_gets_them_decompressed(tmp_path: Path) -> None:
    if shutil.which("storescp") is None:
        pytest.skip("dcmtk is not installed (storescp)")
    port = free_port()
    received = tmp_path / "received"
    received.mkdir()
    server = subprocess.Popen(["storescp", "-od", str(received), str(port)], stderr=subprocess.DEVNULL)
    try:
        file = compressed(tmp_path / "packed.dcm")
        with Sender(Peer("STORESCP", "127.0.0.1", port)) as sender:
            until_it_listens(port)
            (answer,) = sender.store([file])
        assert answer.is_stored
    finally:
        server.terminate()
        server.wait(10)
    (got,) = received.iterdir()
    assert not dcmread(got).file_meta.TransferSyntaxUID.is_compressed
    np.testing.assert_array_equal(dcmread(got).pixel_array, dcmread(file).pixel_array)


def until_it_listens(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)


def test_refusals_are_typed(archive: Orthanc, tmp_path: Path) -> None:
    host = f"127.0.0.1:{archive.dicom}"
    with pytest.raises(ConfigurationError, match="rejects"), Sender(Peer.parse(f"OTHER@{host}")) as sender:
        sender.echo()
    with pytest.raises(NetworkError, match="cannot be reached"), Sender(Peer("X", "127.0.0.1", 9)) as sender:
        sender.echo()
    text = tmp_path / "text"
    text.write_text("no image")
    with pytest.raises(UnsupportedError, match="not a DICOM file"), Sender(Peer.parse(archive.peer)) as sender:
        sender.store([text])
    for wrong in ("PACS", "PACS@host", "PACS@host:0", "@host:104", "A\\B@host:104", "SEVENTEEN-LETTERS@host:104"):
        with pytest.raises(ConfigurationError, match="AET@HOST:PORT"):
            Peer.parse(wrong)
    assert Peer.parse("PACS@[::1]:104") == Peer("PACS", "::1", 104)


def test_without_the_extra_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'groundglass\[node\]'"):
        Sender(Peer("X", "127.0.0.1", 104))


@pytest.fixture
def peer() -> Iterator[tuple[Peer, dict[str, Any]]]:
    """A node of Implicit VR only, which does what `behaviour` says and keeps what it saw."""
    behaviour: dict[str, Any] = {"seen": [], "abort_at": (), "status": 0, "sockets": []}

    def store(event: evt.Event) -> int:
        behaviour["seen"].append(str(event.request.AffectedSOPInstanceUID))
        behaviour["sockets"].append(event.assoc.dul.socket.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        if len(behaviour["seen"]) in behaviour["abort_at"]:
            event.assoc.abort()
        return int(behaviour["status"])

    entity = AE("PEER")
    entity.add_supported_context(CT, ImplicitVRLittleEndian)
    port = free_port()
    server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, store), prompt()])
    yield Peer("PEER", "127.0.0.1", port), behaviour
    server.shutdown()


def test_a_broken_association_is_opened_once_more(peer: tuple[Peer, dict[str, Any]], tmp_path: Path) -> None:
    address, behaviour = peer
    write_series(tmp_path / "s", [(0, 0, float(z)) for z in range(4)])
    files = sorted((tmp_path / "s").iterdir())
    behaviour["abort_at"] = (2,)
    with Sender(address, associations=1) as sender:
        assert all(a.is_stored for a in sender.store(files[:1]))
        assert all(a.is_stored for a in sender.store(files[1:]))
        assert len(behaviour["seen"]) == 5
        behaviour["abort_at"] = (6, 7)
        with pytest.raises(NetworkError, match="broke the association off"):
            sender.store(files[:1])
    assert set(behaviour["sockets"]) == {1}, "TCP_NODELAY is set at the accepting end"


def test_a_full_peer_may_take_it_later_and_an_unknown_kind_never(
    peer: tuple[Peer, dict[str, Any]], tmp_path: Path
) -> None:
    address, behaviour = peer
    write_series(tmp_path / "s", [(0, 0, 0.0)])
    (file,) = (tmp_path / "s").iterdir()
    behaviour["status"] = 0xA700
    other = dcmread(file)
    other.SOPClassUID = other.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    other.save_as(tmp_path / "mr.dcm")
    with Sender(address) as sender:
        full, unknown = sender.store([file, tmp_path / "mr.dcm"])
    assert (full.status, full.is_stored, full.may_succeed_later) == (0xA700, False, True)
    assert (unknown.status, unknown.is_stored, unknown.may_succeed_later) == (0x0122, False, False)
    assert "out of resources" in full.problem and "kind" in unknown.problem
