"""The node between dcmtk's storescu and a real Orthanc: what is sent in comes back as SEG and SR, once."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from node_studies import chest_radiograph, head_mr, write_study
from numpy.typing import NDArray
from pydicom import dcmread
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


def small_body(seed: int) -> NDArray[np.int16]:
    """(slice, row, column) HU: air around an ellipse of fat and muscle with a bone in it. A phantom."""
    _z, y, x = np.indices((8, 64, 64)).astype(float)
    inside = ((y - 32) / 24) ** 2 + ((x - 32) / 28) ** 2
    hu = np.where(inside < 1, np.where(inside < 0.7, 45.0, -100.0), -1000.0)
    hu[((y - 46) / 5) ** 2 + ((x - 32) / 5) ** 2 < 1] = 500.0
    return (hu + np.random.default_rng(seed).normal(0, 8, hu.shape)).astype(np.int16)


def body_ct(folder: Path, seed: int) -> list[Path]:
    return write_study(folder, small_body(seed), "CT", spacing=(5.0, 5.0, 5.0), BodyPartExamined="ABDOMEN")


MAKERS: dict[str, Callable[[Path], list[Path]]] = {
    "CR": chest_radiograph,
    "CT": lambda folder: body_ct(folder, 1),
    "MR": lambda folder: head_mr(folder, step=4),
}


@pytest.mark.parametrize(
    "modalities", [("CT", "CR"), pytest.param(("CT", "MR", "CR"), marks=pytest.mark.slow)], ids=" ".join
)
def test_studies_come_back_as_seg_and_sr(modalities: tuple[str, ...], archive: Orthanc, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    sent = {modality: MAKERS[modality](tmp_path / modality) for modality in modalities}
    studies = {modality: str(dcmread(files[0]).StudyInstanceUID) for modality, files in sent.items()}
    # Both ways lead into one archive, which must take the second delivery for the first.
    options = ("--rules", str(rules), "--send", archive.peer, "--stow", archive.dicomweb)
    with RunningNode(tmp_path / "node", free_port(), *options, settle=0.6) as node:
        for files in sent.values():
            assert storescu(node.port, files)
        until(lambda: sorted(node.jobs().values()) == ["done"] * len(sent), seconds=600)
        # The same images once more are no new study.
        assert storescu(node.port, sent["CR"])
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
                assert made.PatientID == "PHI-7"
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


@pytest.mark.parametrize(
    ("studies", "kills"),
    [(6, 3), pytest.param(60, 30, marks=pytest.mark.slow)],
    ids=["three kills", "thirty kills"],
)
def test_every_study_has_one_result_whenever_the_node_is_killed(tmp_path: Path, studies: int, kills: int) -> None:
    rng = random.Random(studies)
    made = [body_ct(tmp_path / f"s{n}", n) for n in range(studies)]
    uids = {str(dcmread(files[0]).StudyInstanceUID) for files in made}
    with orthanc(tmp_path / "orthanc") as archive:
        options = ("--send" if studies < 60 else "--stow", archive.peer if studies < 60 else archive.dicomweb)
        with RunningNode(tmp_path / "node", free_port(), *options, settle=1.0) as node:
            waiting = list(made)
            for turn in range(kills):
                # Some studies are sent whole; the kill cuts the last one off, and its sender tries again as they do.
                for _ in range(len(waiting) // (kills - turn) - 1):
                    assert storescu(node.port, waiting.pop())
                cut = waiting.pop()
                sender = start_storescu(node.port, cut)
                time.sleep(rng.choice([0.02, 0.1, 3.0]) * rng.random())
                node.kill()
                sender.wait(60)
                node.start()
                assert storescu(node.port, cut)
            assert not waiting
            until(lambda: list(node.jobs().values()) == ["done"] * studies, seconds=60 + 10 * studies)
            count = node.rows("SELECT COUNT(*) FROM job WHERE state <> 'superseded'")[0][0]
        assert count == studies
        kinds = [(i["ParentStudy"], i["MainDicomTags"]["Modality"]) for i in archive.rest("/series?expand")]
        held = {s["ID"]: s["MainDicomTags"]["StudyInstanceUID"] for s in archive.rest("/studies?expand")}
        results = sorted((held[study], kind) for study, kind in kinds)
        assert results == sorted((uid, kind) for uid in uids for kind in ("SEG", "SR"))
        assert len(archive.instances()) == 2 * studies


def start_storescu(port: int, files: list[Path]) -> subprocess.Popen[bytes]:
    command = [str(STORESCU), "-aec", "GROUNDGLASS", "127.0.0.1", str(port), *map(str, files)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
