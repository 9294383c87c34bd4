"""kill -9 of the node at random moments: every study has exactly one result in Orthanc in the end."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from node_studies import body_ct
from pydicom import dcmread
from running_node import STORESCU, RunningNode, storescu, until

from orthanc import MISSING, free_port, orthanc

pytestmark = pytest.mark.skipif(
    bool(MISSING) or STORESCU is None, reason=MISSING or "dcmtk is not installed (storescu)"
)


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


def test_what_is_done_twice_is_there_once(tmp_path: Path) -> None:
    """The moments that a kill seldom meets: a result arrived, or was made, and that was not noted yet.

    The ledger is set back by hand to what it held then; the second time the results are gone, too.
    """
    with orthanc(tmp_path / "orthanc") as archive:
        node = RunningNode(tmp_path / "node", free_port(), "--send", archive.peer, settle=0.5)
        with node:
            assert storescu(node.port, body_ct(tmp_path / "s", 1))
            until(lambda: list(node.jobs().values()) == ["done"], seconds=120)
        first = sorted(i["SOPInstanceUID"] for i in archive.instances())
        assert len(first) == 2
        for statements in (
            ["UPDATE job SET state = 'read'", "UPDATE delivery SET state = 'waiting', due = 0"],
            ["UPDATE job SET state = 'waiting'", "DELETE FROM delivery"],
        ):
            with closing(sqlite3.connect(node.folder / "node.sqlite", isolation_level=None)) as ledger:
                for statement in statements:
                    ledger.execute(statement)
            if "DELETE FROM delivery" in statements:
                shutil.rmtree(node.folder / "results")
            with node:
                until(lambda: list(node.jobs().values()) == ["done"], seconds=120)
            assert sorted(i["SOPInstanceUID"] for i in archive.instances()) == first
        assert list((node.folder / "results").glob("*/report.json"))
