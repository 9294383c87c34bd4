"""The node between dcmtk's storescu and a real Orthanc: what is sent in comes back as SEG and SR, once."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from node_studies import body_ct, chest_radiograph, head_mr
from pydicom import dcmread
from pydicom.uid import CTImageStorage, generate_uid
from running_node import STORESCU, RunningNode, storescu, until

from groundglass.io import DicomWeb, read_sr
from orthanc import MISSING, Orthanc, free_port, orthanc

pytestmark = pytest.mark.skipif(
    bool(MISSING) or STORESCU is None, reason=MISSING or "dcmtk is not installed (storescu)"
)

RULES = """
rules:
  - {name: chest films, modality: CR, body_part: CHEST, read: {only: [heart, lung]}}
  - {name: heads, modality: MR, read: {only: [brain]}}
  - {name: ct, modality: CT}
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with orthanc(tmp_path_factory.mktemp("orthanc")) as server:
        yield server


MAKERS: dict[str, Callable[[Path], list[Path]]] = {
    "CR": chest_radiograph,
    "CT": lambda folder: body_ct(folder, 1),
    "MR": lambda folder: head_mr(folder, step=4),
}


@pytest.mark.parametrize(
    "modalities", [("CT", "CR"), pytest.param(("CT", "MR", "CR"), marks=pytest.mark.slow)], ids=" ".join
)
def test_studies_come_back_as_seg_and_sr(modalities: tuple[str, ...], archive: Orthanc, tmp_path: Path) -> None:
    sent = {modality: MAKERS[modality](tmp_path / modality) for modality in modalities}
    come_back_once(sent, archive, tmp_path)


def test_a_real_ct_comes_back_as_seg_and_sr(data: Path, archive: Orthanc, tmp_path: Path) -> None:
    """The files are JPEG 2000 and their anonymiser emptied UIDs: storescu sends them as a scanner would have."""
    study, series, files = generate_uid(), generate_uid(), []
    for number, file in enumerate(sorted((data / "ct-organ-samples/dicom_series/dicom").iterdir())):
        made = dcmread(file)
        made.decompress()
        made.SOPClassUID, made.SOPInstanceUID = CTImageStorage, made.file_meta.MediaStorageSOPInstanceUID
        made.StudyInstanceUID, made.SeriesInstanceUID = study, series
        files.append(tmp_path / f"{number:03d}.dcm")
        made.save_as(files[-1])
    come_back_once({"CT": files}, archive, tmp_path)


def come_back_once(sent: dict[str, list[Path]], archive: Orthanc, tmp_path: Path) -> None:
    """Send studies through a node; each has one SEG and one SR in the archive, valid, of its images and its patient."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    studies = {modality: str(dcmread(files[0]).StudyInstanceUID) for modality, files in sent.items()}
    # Both ways lead into one archive, which must take the second delivery for the first.
    options = ("--rules", str(rules), "--send", archive.peer, "--stow", archive.dicomweb)
    with RunningNode(tmp_path / "node", free_port(), *options, settle=0.6) as node:
        for files in sent.values():
            assert storescu(node.port, files)
        until(lambda: sorted(node.jobs().values()) == ["done"] * len(sent), seconds=600)
        # The same images once more are no new study.
        assert storescu(node.port, sent["CT"])
        time.sleep(1.5)
        assert len(node.rows("SELECT * FROM job")) == len(sent)
        assert node.rows("SELECT COUNT(*) FROM delivery WHERE state = 'done'") == [(2 * len(sent),)]
    log = node.log.read_text()
    for secret in ("Doe", "PHI-7", *studies.values()):
        assert secret not in log
    with DicomWeb(archive.dicomweb) as web:
        for modality, study in studies.items():
            found = {str(s.Modality): str(s.SeriesInstanceUID) for s in web.series(study)}
            assert set(found) == {"SEG", "SR"}, modality
            for kind, series in found.items():
                (file,) = web.retrieve(study, tmp_path / "got" / modality / kind, series)
                assert dciodvfy_errors(file) == []
                made = dcmread(file)
                assert made.StudyInstanceUID == study
                assert made.PatientID == dcmread(sent[modality][0]).PatientID
            sr = read_sr(next((tmp_path / "got" / modality / "SR").iterdir()))
            assert sr.findings
            seg = dcmread(next((tmp_path / "got" / modality / "SEG").iterdir()))
            series = {str(s.SeriesInstanceUID) for s in seg.ReferencedSeriesSequence}
            assert series == {str(dcmread(sent[modality][0]).SeriesInstanceUID)}


def test_an_archive_gets_the_word_that_it_may_forget(tmp_path: Path) -> None:
    """Orthanc sends a study to the node and asks for storage commitment, also of an instance that was never sent."""
    port = free_port()
    peers = {"node": {"AET": "GROUNDGLASS", "Host": "127.0.0.1", "Port": port}}
    with orthanc(tmp_path / "orthanc", DicomModalities=peers) as archive:
        files = body_ct(tmp_path / "s", 1)
        with DicomWeb(archive.dicomweb) as web:
            web.store(files)
        (study,) = archive.rest("/studies")
        kept = [[str(dcmread(f).SOPClassUID), str(dcmread(f).SOPInstanceUID)] for f in files]
        with RunningNode(tmp_path / "node", port, "--commit", archive.peer, settle=3600):
            archive.rest("/modalities/node/store", send=study)

            def outcome(instances: list[list[str]]) -> dict[str, Any]:
                asked = archive.rest("/modalities/node/storage-commitment", send={"DicomInstances": instances})
                return until(
                    lambda: (answer := archive.rest(asked["Path"]))["Status"] != "Pending" and answer, seconds=30
                )

            assert outcome(kept)["Status"] == "Success"
            partly = outcome([*kept, [kept[0][0], "1.2.3.4"]])
    assert partly["Status"] == "Failure"
    assert [i["SOPInstanceUID"] for i in partly["Failures"]] == ["1.2.3.4"]
    assert sorted(i["SOPInstanceUID"] for i in partly["Success"]) == sorted(uid for _c, uid in kept)


def dciodvfy_errors(file: Path) -> list[str]:
    """Errors of dicom3tools' validator; none where it is not installed."""
    try:
        done = subprocess.run(["dciodvfy", str(file)], capture_output=True, timeout=60)
    except FileNotFoundError:
        return []
    text = (done.stdout + done.stderr).decode(errors="replace")
    return [line for line in text.splitlines() if line.startswith("Error")]
