"""The node as a whole: what comes in settles into jobs, a reader does them, couriers take the results away."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from groundglass import __version__
from groundglass.app.node.arrivals import Arrivals
from groundglass.app.node.courier import Courier
from groundglass.app.node.images import Images, fingerprint
from groundglass.app.node.ledger import Job, Ledger
from groundglass.app.node.log import going_on, label, log
from groundglass.app.node.reader import Reader, ReaderLost, ReadingTask, is_read
from groundglass.app.node.reception import Reception
from groundglass.app.node.rules import Rule, Series, rule_for
from groundglass.core import ConfigurationError, GroundglassError
from groundglass.io import Peer

if TYPE_CHECKING:
    from pynetdicom.transport import ThreadedAssociationServer

ATTEMPTS = 3
_TICK = 0.2
_HOUSEKEEPING_SECONDS = 3600.0
_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How a node runs. Times are in seconds; `keep_days` is how long images of ended studies stay (None: always)."""

    folder: Path
    rules: tuple[Rule, ...]
    aet: str = "GROUNDGLASS"
    host: str = "127.0.0.1"
    port: int = 11112
    allow: tuple[str, ...] = ()
    commit: tuple[Peer, ...] = ()
    settle: float = 30.0
    timeout: float = 1800.0
    sync: bool = False
    keep_days: float | None = None


class Node:
    """Runs from `start` to `stop`; `stop` may be called from a signal handler."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.images = Images(settings.folder, sync=settings.sync)
        self.ledger = Ledger(settings.folder / "node.sqlite")
        self.arrivals = Arrivals(settings.settle)
        self._results = settings.folder / "results"
        self._reader = Reader()
        self._stop = threading.Event()
        self._couriers: dict[str, Courier] = {}
        self._server: ThreadedAssociationServer | None = None

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stop.set()

    def run(self) -> None:
        """Serve until `stop`. Raises ConfigurationError where the port, or the folder, is another's."""
        settings = self.settings
        with only_one(settings.folder):
            self._recover()
            reception = Reception(self.images, self.ledger, self.arrivals.touch)
            commit = {peer.aet: peer for peer in settings.commit}
            self._server = reception.start(
                settings.aet, settings.host, settings.port, allow=settings.allow, commit=commit
            )
            log.info("%s listens on %s:%d", settings.aet, settings.host, settings.port)
            reading = threading.Thread(target=self._read_jobs, name="reading", daemon=True)
            reading.start()
            try:
                self._watch()
            finally:
                self._stop.set()
                self._server.shutdown()
                # Peers hold associations open for minutes; what they were not told is stored they send again.
                for association in self._server.active_associations:
                    association.abort()
                self._reader.close()
                for thread in (reading, *self._couriers.values()):
                    thread.join(10)
                self.ledger.close()

    def _recover(self) -> None:
        """After a crash: sweep what was half written, and let studies settle anew that no job covers."""
        for unfinished in self._results.glob(".*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        self.images.recover(lambda study, files: self.ledger.covers(study, fingerprint(files)))
        for study in self.images.studies():
            if not self.ledger.covers(study, fingerprint(self.images.files(study))):
                self.arrivals.touch(study)

    def _watch(self) -> None:
        due = time.monotonic()
        while not self._stop.wait(_TICK):
            for study in self.arrivals.complete():
                with going_on("a complete study", self._stop, lambda study=study: self.arrivals.touch(study)):  # type: ignore[misc]
                    self.enqueue(study)
            with going_on("destinations", self._stop):
                self._send_out()
            if self.settings.keep_days is not None and time.monotonic() >= due:
                with going_on("cleaning up", self._stop):
                    self._clean(time.time() - self.settings.keep_days * _DAY)
                due = time.monotonic() + _HOUSEKEEPING_SECONDS

    def _send_out(self) -> None:
        """A courier for every destination that something waits for."""
        for destination in self.ledger.open_destinations():
            if destination not in self._couriers:
                courier = Courier(destination, self.settings.aet, self.ledger, self._results, self._stop)
                self._couriers[destination] = courier
                courier.start()

    def enqueue(self, study: str) -> None:
        """Make a complete study a job, where these very images were not one before."""
        files = self.images.files(study)
        instances = fingerprint(files)
        if not files or self.ledger.covers(study, instances):
            return
        self.images.settle(study)
        rule = rule_for(series_of(files), self.settings.rules)
        wanted = rule or Rule("no rule fits", ignore=True)
        job = Job(job_key(study, instances, wanted), study, instances, wanted.to_json())
        if self.ledger.add(job, is_ignored=wanted.ignore):
            log.info("study %s: %d images, rule %r", label(study), len(files), wanted.name)

    def _read_jobs(self) -> None:
        while not self._stop.is_set():
            with going_on("reading", self._stop):
                job = self.ledger.next_job() if self.images.has_room() else None
                if job is None:
                    self._stop.wait(_TICK)
                else:
                    self._read(job)

    def _read(self, job: Job) -> None:
        """Read a job's study, or find it read before a crash, and queue the deliveries."""
        rule, folder = Rule.from_json(job.rule), self._results / job.key
        started = time.monotonic()
        if not is_read(folder):
            files = self.images.files(job.study)
            if fingerprint(files) != job.instances:
                self.ledger.drop(job, "superseded", "more images came")
                self.arrivals.touch(job.study)
                return
            task = ReadingTask(tuple(path.absolute() for path in files), folder.absolute(), job.key, rule.read)
            try:
                self._reader.read(task, seconds=self.settings.timeout)
            except (GroundglassError, ReaderLost) as error:
                if not self._stop.is_set():
                    self._failed(job, error)
                return
        if self.ledger.read(job, rule.send):
            log.info("study %s: read in %.1f s", label(job.study), time.monotonic() - started)

    def _failed(self, job: Job, error: Exception) -> None:
        problem = error.problem if isinstance(error, GroundglassError) else f"its reader {error}"
        if job.attempts + 1 >= ATTEMPTS:
            self.ledger.drop(job, "failed", str(error))
            log.error("study %s: given up: %s", label(job.study), problem)
        else:
            self.ledger.put_off(job, str(error), 2.0**job.attempts)
            log.warning("study %s: %s; it is tried again", label(job.study), problem)

    def _clean(self, moment: float) -> None:
        """Remove the images and results of studies whose jobs all ended, the last one begun before `moment`."""
        for study in self.images.studies():
            keys = self.ledger.ended(study, moment)
            if keys and study not in self.arrivals:
                self.images.remove(study, lambda files, study=study: self.ledger.covers(study, fingerprint(files)))  # type: ignore[misc]
                for key in keys:
                    shutil.rmtree(self._results / key, ignore_errors=True)


def job_key(study: str, instances: str, rule: Rule) -> str:
    """The name of a reading: another one for other images, another rule or another version."""
    return hashlib.sha256("\n".join((study, instances, rule.to_json(), __version__)).encode()).hexdigest()[:40]


def series_of(files: Sequence[Path]) -> set[Series]:
    """What rules ask of the files' series; a file without a readable header says nothing."""
    from groundglass.io.dicom_header import quiet, read_header, value_of

    found = set()
    with quiet():
        for file in files:
            with suppress(GroundglassError, OSError):
                dataset = read_header(file).dataset
                modality, part = (str(value_of(dataset, k) or "") for k in ("Modality", "BodyPartExamined"))
                found.add(Series(modality.strip().upper(), part.strip().upper()))
    return found


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which ends with the process. Raises ConfigurationError where another node holds it."""
    import fcntl

    with (folder / "node.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(folder, "is in use by another node", "Give each node its own --data.") from error
        yield
