"""The node's door: C-ECHO, C-STORE and storage commitment from any number of associations at once."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from pydicom.filereader import read_dataset
from pydicom.tag import Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, UID_dictionary

from groundglass.app.node.commitment import PUSH_MODEL, Commitment
from groundglass.app.node.images import Buffer, DiskFull, Images, Instance, is_uid
from groundglass.app.node.ledger import Ledger
from groundglass.app.node.log import log
from groundglass.core import ConfigurationError
from groundglass.io import Peer
from groundglass.io.dicom_association import MAX_PDU, prompt, require_networking
from groundglass.io.dicom_header import quiet

if TYPE_CHECKING:
    from pynetdicom.events import Event
    from pynetdicom.transport import ThreadedAssociationServer

SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000
# The last element that is looked at; what follows is not parsed.
_LAST = Tag("SeriesInstanceUID")
_HEAD_BYTES = 1 << 20
# Tag and VR of MediaStorageSOPInstanceUID; only UIDs, which are digits, and a version stand before it.
_INSTANCE_UID = b"\x02\x00\x03\x00UI"


# Every way in which a file may be written, retired ones too; of several offers the first that we name is taken.
_NO_FILES = ("JPIP", "RFC2557", "XML", "SMPTE", "Papyrus")
SYNTAXES = [
    ExplicitVRLittleEndian,
    *(
        UID(uid)
        for uid, (_name, kind, _info, _retired, keyword) in UID_dictionary.items()
        if kind == "Transfer Syntax" and uid != ExplicitVRLittleEndian and not keyword.startswith(_NO_FILES)
    ),
]


class _Shared(list[Any]):
    """pynetdicom copies the contexts, ten thousand UIDs, for every association, and then only reads them."""

    def __deepcopy__(self, _memo: object) -> _Shared:
        return self


class NotAnInstance(Exception):  # noqa: N818 - internal: becomes a DICOM status and a line in the ledger
    """A data set that cannot be kept as an instance; the message says why, without what it holds."""


class Reception:
    """Keeps what comes in. `arrived` is told the study of every image that was kept.

    `allow` are the calling titles that are served; all where it is empty.
    """

    def __init__(self, images: Images, ledger: Ledger, arrived: Callable[[str], None]) -> None:
        self._images, self._ledger, self._arrived = images, ledger, arrived

    def start(
        self, aet: str, host: str, port: int, *, allow: Sequence[str] = (), commit: Mapping[str, Peer] | None = None
    ) -> ThreadedAssociationServer:
        """Listen, and tell those in `commit` at their addresses what they may forget; the server to shut down.

        Raises ConfigurationError where the port cannot be had.
        """
        require_networking()
        from pynetdicom import AE, AllStoragePresentationContexts, evt

        entity = AE(aet)
        entity.maximum_pdu_size = MAX_PDU
        entity.maximum_associations = 64
        entity.require_called_aet = True
        entity.require_calling_aet = list(allow)
        entity.add_supported_context("1.2.840.10008.1.1")
        for context in AllStoragePresentationContexts:
            assert context.abstract_syntax is not None
            entity.add_supported_context(context.abstract_syntax, SYNTAXES)
        handlers: list[Any] = [prompt(), (evt.EVT_C_STORE, self._store), (evt.EVT_REJECTED, _rejected)]
        if commit:
            entity.add_supported_context(PUSH_MODEL)
            handlers.append((evt.EVT_N_ACTION, Commitment(self._images, aet, commit).requested))
        try:
            server = entity.start_server((host, port), block=False, evt_handlers=handlers)
        except OSError as error:
            problem = f"cannot be listened on ({error.strerror})"
            raise ConfigurationError(
                f"{host}:{port}", problem, "Choose another --port, or end what uses it."
            ) from error
        assert server is not None and server.socket is not None
        server.contexts = _Shared(server.contexts)
        # Many may call at once; pynetdicom lets five wait in line.
        server.socket.listen(64)
        return server

    def _store(self, event: Event) -> int:
        sender = event.assoc.requestor.ae_title
        content = encoded(event)
        try:
            try:
                instance = described(event)
            except NotAnInstance as error:
                name = self._images.set_aside(*content)
                self._ledger.quarantine(name, sender, str(error))
                log.warning("instance from %s set aside as quarantine/%s: %s", sender, name, error)
                return CANNOT_UNDERSTAND
            if self._images.put(instance, *content):
                self._arrived(instance.study)
            return SUCCESS
        except DiskFull as error:
            log.error("instance from %s refused: no room (%s)", sender, error)
            return OUT_OF_RESOURCES


def encoded(event: Event) -> tuple[Buffer, ...]:
    """The pieces of the DICOM file that holds a C-STORE request's data set, which is not copied."""
    from pynetdicom.dimse_primitives import C_STORE

    request = event.request
    assert isinstance(request, C_STORE) and isinstance(request.DataSet, BytesIO)
    uid = str(request.AffectedSOPInstanceUID)
    before, after = _file_meta(str(request.AffectedSOPClassUID), str(event.context.transfer_syntax), len(uid))
    return bytes(128) + b"DICM" + before + uid.encode() + after, request.DataSet.getbuffer()


@functools.lru_cache(maxsize=256)
def _file_meta(sop_class: str, syntax: str, uid_length: int) -> tuple[bytes, bytes]:
    """What stands before and after the instance's UID: all that the slices of a series share, encoded once."""
    from pynetdicom.dsutils import create_file_meta, encode_file_meta

    stand_in = UID("1" * uid_length)
    encoded = encode_file_meta(
        create_file_meta(sop_class_uid=UID(sop_class), sop_instance_uid=stand_in, transfer_syntax=UID(syntax))
    )
    at = encoded.index(_INSTANCE_UID) + len(_INSTANCE_UID) + 2
    return encoded[:at], encoded[at + uid_length :]


def described(event: Event) -> Instance:
    """What a C-STORE request is about, from its data set. Raises NotAnInstance."""
    from pynetdicom.dimse_primitives import C_STORE

    request = event.request
    assert isinstance(request, C_STORE) and isinstance(request.DataSet, BytesIO)
    syntax = UID(event.context.transfer_syntax)
    head = request.DataSet.getbuffer()[:_HEAD_BYTES]
    try:
        if syntax == DeflatedExplicitVRLittleEndian:
            head = memoryview(zlib.decompressobj(-zlib.MAX_WBITS).decompress(head, _HEAD_BYTES))
        with quiet():
            dataset = read_dataset(
                BytesIO(head),
                syntax.is_implicit_VR,
                syntax.is_little_endian,
                stop_when=lambda tag, _vr, _n: tag > _LAST,
            )
            said = {
                k: str(dataset.get(k) or "").strip()
                for k in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
            }
            modality = str(dataset.get("Modality") or "").strip().upper()
    except Exception as error:
        # pydicom raises a dozen types on damaged data sets.
        raise NotAnInstance(f"its data set cannot be read ({type(error).__name__})") from error
    for keyword, uid in said.items():
        if not is_uid(uid):
            raise NotAnInstance(f"its {keyword} is missing or is no UID")
    if said["SOPInstanceUID"] != str(request.AffectedSOPInstanceUID):
        raise NotAnInstance("its SOPInstanceUID is not the one that the request names")
    return Instance(said["StudyInstanceUID"], said["SOPInstanceUID"], modality)


def _rejected(event: Event) -> None:
    log.warning("association from %s at %s rejected", event.assoc.requestor.ae_title, event.assoc.requestor.address)
