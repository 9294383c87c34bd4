"""Results on their way to one destination, tried again until they arrive."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from groundglass.app.node.ledger import Delivery, Ledger
from groundglass.app.node.log import going_on, label, log
from groundglass.app.node.reader import results
from groundglass.core import GroundglassError
from groundglass.io import Delivered, DicomWeb, Peer, Sender

TOKEN = "GROUNDGLASS_DICOMWEB_TOKEN"
_LONGEST_WAIT = 600.0
_IDLE_SECONDS, _TICK = 20.0, 0.2


class Connection(Protocol):
    """What both kinds of destination can do."""

    def store(self, files: list[Path], /) -> list[Delivered]: ...

    def close(self) -> None: ...


def connect(destination: str, calling: str) -> Connection:
    """A DICOMweb server, or a DICOM node by its AET@HOST:PORT. Waiting is left to the ledger."""
    if destination.startswith(("http://", "https://")):
        return DicomWeb(destination, token=os.environ.get(TOKEN), retries=0)
    return Sender(Peer.parse(destination), calling=calling)


class Courier(threading.Thread):
    """Delivers what the ledger holds for one destination, so that one that is down does not keep the others waiting."""

    def __init__(self, destination: str, calling: str, ledger: Ledger, folder: Path, stop: threading.Event) -> None:
        super().__init__(name=f"to {shown(destination)}", daemon=True)
        self.destination = destination
        self._calling, self._ledger, self._folder, self._stop_all = calling, ledger, folder, stop
        self._connection: Connection | None = None

    def run(self) -> None:
        idle = 0.0
        while not self._stop_all.is_set():
            with going_on("delivering", self._stop_all):
                delivery = self._ledger.next_delivery(self.destination)
                if delivery is not None:
                    self._deliver(delivery)
                    idle = 0.0
                    continue
                idle += _TICK
                if idle > _IDLE_SECONDS:
                    self._disconnect()
                self._stop_all.wait(_TICK)
        self._disconnect()

    def _deliver(self, delivery: Delivery) -> None:
        study, place = label(delivery.study), shown(self.destination)
        files = results(self._folder / delivery.job)
        if not files:
            self._ledger.delivered(delivery, "failed", "its results are no longer there")
            log.error("study %s: results are no longer there", study)
            return
        try:
            if self._connection is None:
                self._connection = connect(self.destination, self._calling)
            answers = self._connection.store(files)
        except GroundglassError as error:
            # Refused access is tried again, too: a new sender is often made known at the archive after the first try.
            self._disconnect()
            self._put_off(delivery, error.problem)
            return
        refused = [answer for answer in answers if not answer.is_stored]
        if not refused:
            self._ledger.delivered(delivery)
            log.info("study %s: %d objects stored at %s", study, len(files), place)
        elif all(answer.may_succeed_later for answer in refused):
            self._put_off(delivery, refused[0].problem)
        else:
            self._ledger.delivered(delivery, "failed", refused[0].problem)
            log.error("study %s: %s: %s", study, place, refused[0].problem)

    def _put_off(self, delivery: Delivery, problem: str) -> None:
        seconds = min(_LONGEST_WAIT, 2.0 ** min(delivery.attempts, 12)) * random.uniform(0.75, 1.25)
        self._ledger.put_off_delivery(delivery, problem, seconds)
        log.warning(
            "study %s: %s %s; next try in %.0f s", label(delivery.study), shown(self.destination), problem, seconds
        )

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def shown(destination: str) -> str:
    """A destination without user and password."""
    if not destination.startswith(("http://", "https://")):
        return destination
    parsed = urlsplit(destination)
    return parsed._replace(netloc=parsed.netloc.rpartition("@")[2]).geturl()
