"""Files to another DICOM node by C-STORE: as they are on disk, over several associations at once."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydicom import Dataset, dcmread
from pydicom.filereader import read_file_meta_info
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from groundglass.core import ConfigurationError, InputError, NetworkError, UnsupportedError
from groundglass.io.delivered import Delivered
from groundglass.io.dicom_association import MAX_PDU, Peer, is_aet, prompt, require_networking
from groundglass.io.dicom_header import quiet

if TYPE_CHECKING:
    from pynetdicom.association import Association

Kind = tuple[str, str]
_PLAIN: list[str | UID] = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
# PS3.8 9.3.2.2: presentation context ids are the odd numbers below 256.
_MAX_CONTEXTS = 128
_REFUSED_KIND = 0x0122


@dataclass(frozen=True)
class _Item:
    """A file to send with what its meta information says."""

    path: Path
    sop_class: str
    uid: str
    syntax: str

    @property
    def kind(self) -> Kind:
        return self.sop_class, self.syntax


class Sender:
    """Stores files at `peer`; associations are kept between calls, and are opened anew where a file needs another kind.

    `associations` is how many are in use at once: a peer answers one instance at a time on each, and may serve few
    (Orthanc by default 4). Use as a context manager, or `close`. Methods raise NetworkError where the peer cannot be
    reached or breaks off, and ConfigurationError where it refuses this sender.
    """

    def __init__(
        self, peer: Peer, *, calling: str = "GROUNDGLASS", associations: int = 2, timeout: float = 60.0
    ) -> None:
        require_networking()
        if not is_aet(calling):
            raise ConfigurationError(calling, "is no application entity title", "Use 1 to 16 printable characters.")
        self.peer, self.calling, self.timeout = peer, calling, timeout
        self._lanes = [_Lane(self) for _ in range(associations)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the associations."""
        for lane in self._lanes:
            lane.close()

    def echo(self) -> None:
        """C-ECHO: return when the peer answers."""
        lane = _Lane(self)
        try:
            lane.echo()
        finally:
            lane.close()

    def store(self, files: Iterable[Path]) -> list[Delivered]:
        """Send each file; the peer's answer to each, in order. Sending one again changes nothing at a sound archive.

        A file goes as it is where the peer takes its transfer syntax, else decompressed. On an error some files may
        have been stored. Raises InputError for a file that is not DICOM.
        """
        items = [_item(path) for path in files]
        answers: dict[_Item, Delivered] = {}
        for kinds in _negotiable(dict.fromkeys(item.kind for item in items)) if items else []:
            self._share([item for item in items if item.kind in kinds], kinds, answers)
        return [answers[item] for item in items]

    def _share(self, items: Sequence[_Item], kinds: set[Kind], answers: dict[_Item, Delivered]) -> None:
        """Let the lanes send these items; a lane that fails leaves its item to the others."""
        waiting = collections.deque(items)

        def work(lane: _Lane) -> None:
            lane.open(kinds)
            while waiting:
                try:
                    item = waiting.popleft()
                except IndexError:
                    return
                try:
                    answers[item] = lane.send(item, kinds)
                except NetworkError:
                    waiting.append(item)
                    raise

        lanes = self._lanes[: len(items)]
        with ThreadPoolExecutor(len(lanes)) as pool:
            errors = [done.exception() for done in [pool.submit(work, lane) for lane in lanes]]
        for error in errors:
            if error is not None and (waiting or not isinstance(error, NetworkError)):
                raise error


class _Lane:
    """One association, opened when it is first needed."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._kinds: set[Kind] = set()
        self._association: Association | None = None

    def close(self) -> None:
        if self._association is not None and self._association.is_established:
            self._association.release()
        self._association = None

    def echo(self) -> None:
        self.open(set())
        assert self._association is not None
        if self._association.send_c_echo().get("Status") != 0:
            raise self._broken()

    def send(self, item: _Item, kinds: set[Kind]) -> Delivered:
        """The peer's answer to one instance; a broken association is opened once more, since peers close idle ones."""
        for _attempt in range(2):
            self.open(kinds)
            status = self._store(item)
            if status is not None:
                return Delivered(item.path, item.uid, status)
            self.close()
        raise self._broken()

    def _store(self, item: _Item) -> int | None:
        """The status of a C-STORE, None where the association broke."""
        association = self._association
        assert association is not None
        accepted = {(c.abstract_syntax, c.transfer_syntax[0]) for c in association.accepted_contexts}
        try:
            if item.kind in accepted:
                answer = association.send_c_store(item.path)
            elif any((item.sop_class, syntax) in accepted for syntax in _PLAIN):
                answer = association.send_c_store(_decompressed(item.path))
            else:
                return _REFUSED_KIND
        except UnsupportedError:
            return _REFUSED_KIND
        except RuntimeError:
            # pynetdicom's word for an association that is no longer established.
            return None
        status = answer.get("Status")
        return None if status is None else int(status)

    def open(self, kinds: set[Kind]) -> None:
        """Make sure that an association with these kinds is there."""
        if self._association is not None and self._association.is_established and kinds <= self._kinds:
            return
        self.close()
        self._kinds = kinds
        self._association = _associate(self._sender, kinds)

    def _broken(self) -> NetworkError:
        return NetworkError(
            self._sender.peer, "broke the association off, or did not answer in time", "See its log; try again later."
        )


def _associate(sender: Sender, kinds: set[Kind]) -> Association:
    from pynetdicom import AE, _config, build_context

    # A path is then sent in chunks as it is, and not decoded and encoded again.
    _config.STORE_SEND_CHUNKED_DATASET = True
    entity = AE(sender.calling)
    entity.maximum_pdu_size = MAX_PDU
    entity.connection_timeout = entity.acse_timeout = entity.dimse_timeout = sender.timeout
    entity.network_timeout = sender.timeout
    contexts = [build_context(sop_class, syntax) for sop_class, syntax in sorted(kinds)]
    contexts += [build_context(sop_class, _PLAIN) for sop_class in sorted({c for c, _ in kinds})]
    if not kinds:
        contexts = [build_context("1.2.840.10008.1.1")]
    peer = sender.peer
    association = entity.associate(
        peer.host, peer.port, contexts=contexts, ae_title=peer.aet, max_pdu=MAX_PDU, evt_handlers=[prompt()]
    )
    if association.is_established:
        return association
    if association.is_rejected:
        answer = association.acceptor.primitive
        # PS3.8 table 9-21: result 2 is a rejection that may pass, source 1 with reason 3 or 7 names the titles.
        if answer is not None and answer.result == 1:
            raise ConfigurationError(
                peer, f"rejects {sender.calling} for good ({answer.reason_str})", "Make this title known there."
            )
        raise NetworkError(peer, "rejects associations for now", "Try again later.")
    raise NetworkError(peer, "cannot be reached, or speaks no DICOM", "Check the address and that the node runs.")


def _negotiable(kinds: Iterable[Kind]) -> list[set[Kind]]:
    """The kinds in groups that one association can propose, each with its plain forms."""
    groups: list[set[Kind]] = [set()]
    for kind in kinds:
        trial = groups[-1] | {kind}
        if len(trial) + len({sop_class for sop_class, _ in trial}) > _MAX_CONTEXTS:
            trial = {kind}
            groups.append(trial)
        groups[-1] = trial
    return groups


def _item(path: Path) -> _Item:
    try:
        with quiet():
            meta = read_file_meta_info(path)
        return _Item(
            path,
            str(meta.MediaStorageSOPClassUID),
            str(meta.MediaStorageSOPInstanceUID),
            str(meta.TransferSyntaxUID),
        )
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", "Name a DICOM file.") from error
    except Exception as error:
        # pydicom raises many types on what is no DICOM.
        raise UnsupportedError(path, "is not a DICOM file with meta information", "Export it again.") from error


def _decompressed(path: Path) -> Dataset:
    with quiet():
        dataset = dcmread(path)
        if UID(dataset.file_meta.TransferSyntaxUID).is_compressed:
            try:
                dataset.decompress()
            except Exception as error:
                problem = f"cannot be decompressed ({error})"
                raise UnsupportedError(path, problem, "Send it where its transfer syntax is taken.") from error
        return dataset
