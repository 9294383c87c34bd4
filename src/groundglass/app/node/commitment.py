"""Storage commitment (push model, PS3.4 Annex J): the word that instances are on the disk and may be forgotten."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydicom import Dataset

from groundglass.app.node.images import Images
from groundglass.app.node.log import log
from groundglass.io import Peer
from groundglass.io.dicom_association import prompt

if TYPE_CHECKING:
    from pynetdicom.events import Event

PUSH_MODEL, PUSH_MODEL_INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
# PS3.4 J.3.3: all are there, or some are not; and why one is not (PS3.3 C.14.1.1).
_COMPLETE, _FAILURES, _NO_SUCH_INSTANCE = 1, 2, 0x0112
_INVALID_ARGUMENT = 0x0115
_WAITS = (1.0, 5.0, 30.0, 120.0)

Item = tuple[str, str]


class Commitment:
    """Answers requests on an association of its own to the address of the title that asked."""

    def __init__(self, images: Images, aet: str, addresses: Mapping[str, Peer]) -> None:
        self._images, self._aet, self._addresses = images, aet, addresses

    def requested(self, event: Event) -> tuple[int, None]:
        """Take an N-ACTION request; its answer follows."""
        asked = event.action_information
        peer = self._addresses.get(event.assoc.requestor.ae_title)
        items = [
            (str(i.get("ReferencedSOPClassUID", "")), str(i.get("ReferencedSOPInstanceUID", "")))
            for i in asked.get("ReferencedSOPSequence") or ()
        ]
        transaction = str(asked.get("TransactionUID") or "")
        if peer is None or not transaction or not items:
            log.warning("commitment for %s refused: no address, or nothing asked", event.assoc.requestor.ae_title)
            return _INVALID_ARGUMENT, None
        threading.Thread(target=self._answer, args=(peer, transaction, items), daemon=True).start()
        return 0, None

    def _answer(self, peer: Peer, transaction: str, items: Sequence[Item]) -> None:
        kept = self._images.commit([uid for _sop_class, uid in items])
        missing = [item for item in items if item[1] not in kept]
        report = Dataset()
        report.TransactionUID = transaction
        report.ReferencedSOPSequence = [_reference(item) for item in items if item[1] in kept]
        if missing:
            report.FailedSOPSequence = [_reference(item, failure=_NO_SUCH_INSTANCE) for item in missing]
        for wait in (*_WAITS, None):
            if self._tell(peer, report, _FAILURES if missing else _COMPLETE):
                log.info("commitment of %d instances told %s, %d missing", len(kept), peer, len(missing))
                return
            if wait is not None:
                time.sleep(wait)
        log.error("commitment could not be told %s; it will ask again", peer)

    def _tell(self, peer: Peer, report: Dataset, kind: int) -> bool:
        from pynetdicom import AE, build_context, build_role

        entity = AE(self._aet)
        entity.connection_timeout = entity.acse_timeout = entity.dimse_timeout = 30
        association = entity.associate(
            peer.host,
            peer.port,
            contexts=[build_context(PUSH_MODEL)],
            ae_title=peer.aet,
            # Here the one that calls is the provider.
            ext_neg=[build_role(PUSH_MODEL, scp_role=True)],
            evt_handlers=[prompt()],
        )
        if not association.is_established:
            return False
        try:
            status, _reply = association.send_n_event_report(report, kind, PUSH_MODEL, PUSH_MODEL_INSTANCE)
            return status.get("Status") == 0
        except (RuntimeError, ValueError):
            # The association ended, or this service was not accepted on it.
            return False
        finally:
            association.release()


def _reference(item: Item, *, failure: int | None = None) -> Dataset:
    made = Dataset()
    made.ReferencedSOPClassUID, made.ReferencedSOPInstanceUID = item
    if failure is not None:
        made.FailureReason = failure
    return made
