"""The node by itself: what it refuses, sets aside, keeps and tries again."""

from __future__ import annotations

import json
import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from node_studies import write_study
from pydicom import dcmread
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE
from pynetdicom.sop_class import CTImageStorage
from running_node import RunningNode, until

from groundglass.app.node.arrivals import Arrivals
from groundglass.app.node.images import Images, Instance, fingerprint
from groundglass.app.node.ledger import Job, Ledger
from groundglass.app.node.log import label
from groundglass.app.node.reader import Reader, ReaderLost, ReadingTask, is_read, results
from groundglass.app.node.reception import CANNOT_UNDERSTAND, OUT_OF_RESOURCES, SUCCESS, Reception
from groundglass.app.node.rules import Rule, Series, read_rules, rule_for
from groundglass.app.node.service import Node, Settings, job_key
from groundglass.core import ConfigurationError, InputError
from groundglass.io import Delivered, Peer, Sender
from orthanc import free_port


class Desk:
    """A reception in this process, with what it was told."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.images, self.ledger = Images(folder, **options), Ledger(folder / "node.sqlite")
        self.arrived: list[str] = []
        self.port = free_port()
        self.reception = Reception(self.images, self.ledger, self.arrived.append)
        self.server = self.reception.start("GROUNDGLASS", "127.0.0.1", self.port, allow=("FRIEND",))

    @property
    def peer(self) -> Peer:
        return Peer("GROUNDGLASS", "127.0.0.1", self.port)

    def send(self, *files: Path) -> list[Delivered]:
        with Sender(self.peer, calling="FRIEND") as sender:
            return sender.store(files)

    def files(self) -> list[Path]:
        return sorted(p for p in self.images.folder.rglob("*") if p.is_file() and not p.name.startswith("node.sqlite"))


def slices(folder: Path, count: int, **values: Any) -> list[Path]:
    """A series of tiny CT slices."""
    return write_study(folder, np.zeros((count, 6, 5), np.int16), "CT", **values)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "node", reserve=0)
    yield made
    made.server.shutdown()
    made.ledger.close()


def test_instances_of_every_syntax_are_kept_byte_for_byte(desk: Desk, data: Path) -> None:
    files = sorted((data / "dicom-zoo" / "transfer-syntaxes").glob("CTImage*"))
    assert len({dcmread(f, stop_before_pixels=True).file_meta.TransferSyntaxUID for f in files}) >= 12
    kept = {}
    for file in files:
        # They are one image in many forms: each gets its own UID, written in place.
        uid = generate_uid(entropy_srcs=[file.name])
        sent = dcmread(file)
        sent.SOPInstanceUID = sent.file_meta.MediaStorageSOPInstanceUID = uid
        path = desk.images.folder.parent / f"{uid}.dcm"
        sent.save_as(path)
        (answer,) = desk.send(path)
        assert answer.status == SUCCESS, file.name
        kept[uid] = path
    for uid, path in kept.items():
        (got,) = desk.images.folder.glob(f"images/*/{uid}.dcm")
        mine, theirs = dcmread(got), dcmread(path)
        assert mine.file_meta.TransferSyntaxUID == theirs.file_meta.TransferSyntaxUID
        assert mine == theirs


def test_what_is_no_instance_is_set_aside_with_the_reason(desk: Desk, tmp_path: Path) -> None:
    good = dcmread(slices(tmp_path / "s", 1)[0])
    entity = AE("FRIEND")
    entity.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", desk.port, ae_title="GROUNDGLASS")
    for keyword, value in (("StudyInstanceUID", "../../etc"), ("SeriesInstanceUID", None)):
        bad = deepcopy(good)
        if value is None:
            del bad[keyword]
        else:
            bad.add_new(Tag(keyword), "LO", value)
        assert association.send_c_store(bad).Status == CANNOT_UNDERSTAND
    association.release()
    reasons = {row[0] for row in desk.ledger._rows("SELECT problem FROM quarantined")}
    assert reasons == {"its StudyInstanceUID is missing or is no UID", "its SeriesInstanceUID is missing or is no UID"}
    assert [p.parent.name for p in desk.files()] == ["quarantine"] * 2
    assert desk.arrived == []


def test_only_friends_are_served_and_only_by_name(desk: Desk) -> None:
    with pytest.raises(ConfigurationError, match="rejects"), Sender(desk.peer, calling="STRANGER") as sender:
        sender.echo()
    other = Peer("OTHER", "127.0.0.1", desk.port)
    with pytest.raises(ConfigurationError, match="rejects"), Sender(other, calling="FRIEND") as sender:
        sender.echo()
    with Sender(desk.peer, calling="FRIEND") as sender:
        sender.echo()
    with pytest.raises(ConfigurationError, match="cannot be listened on"):
        desk.reception.start("GROUNDGLASS", "127.0.0.1", desk.port)


def test_results_that_come_back_are_no_new_study(desk: Desk, tmp_path: Path) -> None:
    assert desk.send(*slices(tmp_path / "s", 1, Modality="SR"))[0].is_stored
    assert desk.arrived == []
    assert list(desk.images.studies()) == []


def test_a_full_disk_refuses_and_leaves_nothing(tmp_path: Path) -> None:
    first, second = slices(tmp_path / "s", 2)
    full = Desk(tmp_path / "full", reserve=1 << 60)
    try:
        assert full.send(first)[0].status == OUT_OF_RESOURCES
        assert full.files() == [] and full.arrived == []
    finally:
        full.server.shutdown()
    # The file system itself fails in the middle of the write: a limit on the size of files stands for it.
    desk = Desk(tmp_path / "desk", reserve=0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        assert desk.send(first)[0].is_stored
        before = desk.files()
        resource.setrlimit(resource.RLIMIT_FSIZE, (400, hard))
        answer = desk.send(second)[0]
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (answer.status, answer.may_succeed_later) == (OUT_OF_RESOURCES, True)
        assert desk.files() == before and len(desk.arrived) == 1
        assert desk.send(second)[0].is_stored
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        desk.server.shutdown()


def test_many_senders_at_once(desk: Desk, tmp_path: Path) -> None:
    for n in range(8):
        slices(tmp_path / f"s{n}", 10, StudyInstanceUID=f"1.2.{n}")
    answers: list[Delivered] = []
    threads = [
        threading.Thread(target=lambda n=n: answers.extend(desk.send(*(tmp_path / f"s{n}").iterdir())))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 80 and all(a.is_stored for a in answers)
    assert [len(desk.images.files(f"1.2.{n}")) for n in range(8)] == [10] * 8


def test_removal_keeps_what_came_in_meanwhile(tmp_path: Path) -> None:
    images = Images(tmp_path, reserve=0)
    images.put(Instance("1.2", "1.2.3", "CT"), b"one")
    known = fingerprint(images.files("1.2"))
    images.put(Instance("1.2", "1.2.4", "CT"), b"two")
    images.remove("1.2", lambda files: fingerprint(files) == known)
    assert [p.read_bytes() for p in images.files("1.2")] == [b"one", b"two"]
    images.remove("1.2", lambda _files: True)
    assert images.files("1.2") == [] and list(images.studies()) == []


def test_the_ledger_queues_once_and_supersedes(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l.sqlite")
    part, whole = (Job(f"k{n}", "1.2", f"i{n}", Rule("all").to_json()) for n in range(2))
    assert ledger.add(part) and not ledger.add(part)
    assert ledger.add(whole)
    assert not ledger.covers("1.2", "i0") and ledger.covers("1.2", "i1")
    assert not ledger.read(part, ["X"]), "a reading that was superseded meanwhile is dropped"
    job = ledger.next_job()
    assert job == whole
    assert ledger.read(job, ["X", "Y", "X"])
    assert ledger.open_destinations() == ["X", "Y"]
    first = ledger.next_delivery("X")
    assert first is not None
    ledger.put_off_delivery(first, "is down", 60)
    assert ledger.next_delivery("X") is None
    second = ledger.next_delivery("Y")
    assert second is not None
    ledger.delivered(second)
    assert ledger.counts() == {"superseded": 1, "read": 1}
    ledger.delivered(first, "failed", "refused")
    assert ledger.counts() == {"superseded": 1, "failed": 1}
    ledger.retry()
    again = ledger.next_delivery("X")
    assert again is not None and ledger.next_delivery("Y") is None
    ledger.close()
    # What was written is there for the next process.
    ledger = Ledger(tmp_path / "l.sqlite")
    ledger.delivered(again)
    assert ledger.counts() == {"superseded": 1, "done": 1}
    assert ledger.ended("1.2", time.time() + 1) == ["k0", "k1"] and ledger.ended("1.2", 0.0) == []
    ledger.close()


def test_a_study_is_complete_once_it_is_quiet() -> None:
    arrivals = Arrivals(0.15)
    arrivals.touch("a")
    time.sleep(0.1)
    arrivals.touch("a")
    arrivals.touch("b")
    time.sleep(0.08)
    assert arrivals.complete() == [] and "a" in arrivals
    time.sleep(0.1)
    assert sorted(arrivals.complete()) == ["a", "b"]
    assert arrivals.complete() == []


def test_a_reader_that_dies_or_hangs_costs_its_study_alone(tmp_path: Path) -> None:
    blank = slices(tmp_path / "blank", 2)
    files = write_study(tmp_path / "s", np.arange(2 * 6 * 5).reshape(2, 6, 5).astype(np.int16), "CT")

    def task(name: str, files: list[Path] = files) -> ReadingTask:
        return ReadingTask(tuple(files), tmp_path / name, "the same")

    reader = Reader()
    try:
        with pytest.raises(ReaderLost, match=r"took more than 0.01 s"):
            reader.read(task("hung"), seconds=0.01)
        killer = threading.Timer(0.5, lambda: os.kill(reader._process.pid, signal.SIGKILL))
        killer.start()
        with pytest.raises(ReaderLost, match="ended in the middle"):
            reader.read(task("killed"), seconds=60)
        assert not is_read(tmp_path / "hung") and not is_read(tmp_path / "killed")
        reader.read(task("good"), seconds=120)
        assert is_read(tmp_path / "good")
        assert [file.name for file in results(tmp_path / "good")] == ["report.sr.dcm"]
        first = dcmread(results(tmp_path / "good")[0])
        reader.read(task("again"), seconds=120)
        assert dcmread(results(tmp_path / "again")[0]).SOPInstanceUID == first.SOPInstanceUID
        with pytest.raises(InputError, match="does not exist"):
            reader.read(task("none", [tmp_path / "none.dcm"]), seconds=60)
        with pytest.raises(InputError, match="no image with usable pixels"):
            reader.read(task("nothing", blank), seconds=60)
        assert not is_read(tmp_path / "nothing"), "a report of nothing is not sent"
        assert not list(tmp_path.glob(".*"))
    finally:
        reader.close()


def test_rules_choose_by_modality_and_body_part(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(
        "rules:\n"
        "  - {name: chest, modality: [cr, DX], body_part: Chest, read: {only: heart, language: id}, send: PACS@h:104}\n"
        "  - {name: pet, modality: PT, send: [https://u:p@h/dicom-web, A@h:1]}\n"
        "  - {modality: US, ignore: true}\n"
        "  - {name: rest}\n"
    )
    rules = read_rules(file, ["D@h:2"])
    chosen = {m: rule_for([Series(m, part)], rules) for m, part in (("CR", "CHEST"), ("DX", "HAND"), ("US", ""))}
    assert [rule and rule.name for rule in chosen.values()] == ["chest", "rest", "rule 3"]
    assert rules[0].read == {"only": ["heart"], "language": "id"} and rules[0].send == ("PACS@h:104",)
    assert rules[2].ignore and rules[3].send == ("D@h:2",)
    # A study of several series goes by the first rule that one of them fits.
    both = rule_for([Series("CT", "CHEST"), Series("PT", "CHEST")], rules)
    assert both is not None and both.name == "pet"
    assert rule_for([Series("CT", "")], rules[:3]) is None
    for rule in rules:
        assert Rule.from_json(rule.to_json()) == rule
    # Another rule, version or set of images is another reading, with other UIDs.
    assert len({job_key("1.2", i, r) for i in ("a", "b") for r in rules[:2]}) == 4


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rules: []", "holds no list"),
        ("rules: [{nam: x}]", "unknown keys: nam"),
        ("rules: [{read: {masks: x}}]", "unknown keys: read.masks"),
        ("rules: [{read: {only: hart}}]", "not a term of the ontology"),
        ("rules: [{modality: 7}]", "not a list of words"),
        ("rules: [{send: nowhere}]", "no destination"),
        ("rules: [{ignore: maybe}]", "neither true nor false"),
        ("rules: [{name: a}, {name: a}]", "two rules alike"),
        ("rules: [", "cannot be read"),
    ],
)
def test_rules_that_are_none_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "rules.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=problem):
        read_rules(tmp_path / "rules.yaml", [])


def test_one_folder_is_one_nodes_and_it_stops_although_a_peer_stays(tmp_path: Path) -> None:
    with RunningNode(tmp_path / "node", free_port()) as node:
        stays = Sender(Peer("GROUNDGLASS", "127.0.0.1", node.port), associations=1)
        assert stays.store(slices(tmp_path / "s", 1))[0].is_stored
        other = Node(Settings(tmp_path / "node", read_rules(None, []), port=free_port()))
        with pytest.raises(ConfigurationError, match="in use by another node"):
            other.run()
    # RunningNode has waited for the end of the process, and would have complained.
    stays.close()


def test_what_cannot_be_read_is_given_up_with_a_reason_and_the_rest_goes_on(tmp_path: Path) -> None:
    """One study whose pixels are cut off, one that an unreachable archive keeps waiting, in one node."""
    pixels = np.arange(2 * 16 * 16).reshape(2, 16, 16).astype(np.int16)
    good, broken = (write_study(tmp_path / name, pixels, "CT") for name in ("good", "broken"))
    for file in broken:
        cut = dcmread(file)
        cut.PixelData = cut.PixelData[:100]
        cut.save_as(file)
    studies = {name: str(dcmread(files[0]).StudyInstanceUID) for name, files in (("good", good), ("broken", broken))}
    down = f"DOWN@127.0.0.1:{free_port()}"
    with RunningNode(tmp_path / "node", free_port(), "--send", down, settle=0.3) as node:
        with Sender(Peer("GROUNDGLASS", "127.0.0.1", node.port)) as sender:
            assert all(a.is_stored for a in sender.store([*broken, *good]))
        until(lambda: node.jobs() == {studies["broken"]: "failed", studies["good"]: "read"}, seconds=60)
        until(lambda: node.rows("SELECT attempts FROM delivery")[0][0] >= 2, seconds=30)
        ((problem,),) = node.rows("SELECT problem FROM job WHERE state = 'failed'")
        assert "bytes of pixels" in problem
        assert "cannot be reached" in node.rows("SELECT problem FROM delivery")[0][0]
    log = node.log.read_text()
    assert label(studies["broken"]) in log and "bytes of pixels" in log
    assert not any(study in log for study in studies.values())
    found = list((tmp_path / "node" / "results").glob("*/report.json"))
    assert any(json.loads(f.read_text())["study"]["uid"] == studies["good"] for f in found)
    assert not any((tmp_path / "node" / "quarantine").iterdir())
