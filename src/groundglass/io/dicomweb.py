"""A client of DICOMweb servers (PS3.18): search by QIDO-RS, retrieve by WADO-RS, store by STOW-RS.

Retrieved instances go to files and stored ones come from files as a stream, byte for byte as they are: no instance is
decoded, and a study of any size needs the memory of one chunk.
"""

from __future__ import annotations

import random
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from pydicom import Dataset
from pydicom.datadict import tag_for_keyword

from groundglass.core import ConfigurationError, InputError, NetworkError
from groundglass.io import stow
from groundglass.io.atomic import atomic_path
from groundglass.io.delivered import Delivered
from groundglass.io.dicom_header import quiet, read_header
from groundglass.io.multipart import Truncated, boundary_of, parts

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")
_UID = re.compile(r"[0-9.]{1,64}")
_JSON = "application/dicom+json"
_INSTANCES = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_CHUNK = 1 << 18
_BUSY = (408, 425, 429, 500, 502, 503, 504, 507)
_FORBIDDEN = (401, 403, 407)
_LONGEST_WAIT = 60.0


class DicomWeb:
    """A DICOMweb server at `url`, for instance `http://localhost:8042/dicom-web`.

    `token` is sent as a bearer token, `user:password@` in the URL as basic authentication. What fails in a way that may
    pass (no connection, time out, server busy) is tried `retries` times more, after growing waits.
    Methods raise NetworkError for what may pass, ConfigurationError where access is refused, and InputError where the
    server refuses the request itself or answers with what is not DICOMweb. Use as a context manager, or `close`.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 60.0,
        retries: int = 3,
    ) -> None:
        import httpx2

        parsed = urlsplit(url)
        if parsed.scheme not in ("http", "https") or not parsed.hostname:
            raise ConfigurationError(url, "is not the address of a DICOMweb server", "Use http(s)://HOST[:PORT]/PATH.")
        self.url = urlunsplit(parsed._replace(netloc=parsed.netloc.rpartition("@")[2])).rstrip("/")
        self.retries = retries
        self._client = httpx2.Client(
            timeout=timeout,
            headers={**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})},
            auth=(parsed.username, parsed.password or "") if parsed.username else None,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def studies(
        self, *, limit: int | None = None, offset: int = 0, include: Sequence[str] = (), **match: str
    ) -> list[Dataset]:
        """Studies by DICOM keywords: `studies(PatientID="7", StudyDate="20260101-", include=["StudyDescription"])`."""
        return self._search("studies", limit, offset, include, match)

    def all_studies(self, *, page: int = 100, include: Sequence[str] = (), **match: str) -> Iterator[Dataset]:
        """All studies that match, asked for page by page; each once, although servers page without a fixed order."""
        seen: set[str] = set()
        for offset in range(0, 1 << 31, page):
            found = self.studies(limit=page, offset=offset, include=include, **match)
            new = [study for study in found if str(study.StudyInstanceUID) not in seen]
            seen.update(str(study.StudyInstanceUID) for study in new)
            yield from new
            if len(found) < page or not new:
                return

    def series(self, study: str, *, include: Sequence[str] = (), **match: str) -> list[Dataset]:
        """Series of a study."""
        return self._search(f"{_path(study)}/series", None, 0, include, match)

    def instances(
        self, study: str, series: str | None = None, *, include: Sequence[str] = (), **match: str
    ) -> list[Dataset]:
        """Instances of a study or of one of its series."""
        return self._search(f"{_path(study, series)}/instances", None, 0, include, match)

    def metadata(self, study: str, series: str | None = None, instance: str | None = None) -> list[Dataset]:
        """Headers without pixels."""
        return self._datasets(f"{_path(study, series, instance)}/metadata", {})

    def retrieve(
        self,
        study: str,
        folder: Path,
        series: str | None = None,
        instance: str | None = None,
        *,
        progress: Callable[[int], None] = lambda _count: None,
    ) -> list[Path]:
        """The instances of a study, series or single instance as files `UID.dcm` in `folder`; the files in order.

        Each file is whole or not there; a repeated call replaces equal files. `progress` is told how many are there.
        Raises InputError also where the server has no such study, or sends no instance of it.
        """
        path = _path(study, series, instance)

        def request() -> list[Path]:
            with self._client.stream("GET", f"{self.url}/{path}", headers={"Accept": _INSTANCES}) as response:
                _raise_for(response, self.url)
                files: list[Path] = []
                for content in _contents(response, self.url):
                    files.append(_save(content, folder, len(files)))
                    progress(len(files))
                return files

        files = self._retried(request)
        if not files:
            raise InputError(self.url, "sent no instance", "Check the identifier, and what the server holds.")
        return files

    def store(self, files: Iterable[Path]) -> list[Delivered]:
        """Store DICOM files as they are; the server's answer to each. Storing one again changes nothing there."""
        results: list[Delivered] = []
        for batch in stow.batches(files):
            results += self._retried(lambda batch=batch: self._store(batch))  # type: ignore[misc]
        return results

    def _store(self, files: Sequence[Path]) -> list[Delivered]:
        body = stow.Body(files)
        response = self._client.post(
            f"{self.url}/studies", content=body.chunks(), headers=body.headers | {"Accept": _JSON}
        )
        if response.status_code == 400:
            # Some servers refuse a batch whole for the one file in it that is no DICOM.
            return [stow.malformed(files[0])] if len(files) == 1 else [self._store([f])[0] for f in files]
        if response.status_code != 409:
            _raise_for(response, self.url)
        answer = _json(response, self.url)
        return stow.outcomes(files, _dataset(answer[0] if isinstance(answer, list) and answer else answer, self.url))

    def _search(
        self, path: str, limit: int | None, offset: int, include: Sequence[str], match: Mapping[str, str]
    ) -> list[Dataset]:
        for keyword in (*match, *include):
            if tag_for_keyword(keyword) is None:
                raise ConfigurationError(keyword, "is not a DICOM keyword", "Write it as PS3.6 does: PatientID.")
        query: dict[str, Any] = {**match, "includefield": list(include)}
        if limit is not None:
            query |= {"limit": limit, "offset": offset}
        return self._datasets(path, {k: v for k, v in query.items() if v != []})

    def _datasets(self, path: str, query: Mapping[str, Any]) -> list[Dataset]:
        def request() -> list[Dataset]:
            # Orthanc takes an escaped wildcard for the character itself.
            asked = f"?{urlencode(query, doseq=True, safe='*?', quote_via=quote)}" if query else ""
            response = self._client.get(f"{self.url}/{path}{asked}", headers={"Accept": _JSON})
            _raise_for(response, self.url)
            found = [] if response.status_code == 204 else _json(response, self.url)
            if not isinstance(found, list):
                raise InputError(self.url, "does not answer with a list of data sets", "Check the address.")
            return [_dataset(item, self.url) for item in found]

        return self._retried(request)

    def _retried(self, request: Callable[[], T]) -> T:
        """What `request` gives, with its connection errors typed, and tried again while they may pass."""
        import httpx2

        for attempt in range(self.retries + 1):
            wait = 0.0
            try:
                return request()
            except httpx2.TimeoutException as error:
                problem = NetworkError(self.url, "did not answer in time", "Try again, or allow it more time.")
                problem.__cause__ = error
            except (httpx2.TransportError, Truncated) as error:
                text = f"cannot be reached, or broke off ({error})"
                problem = NetworkError(self.url, text, "Check the address and that the server runs.")
                problem.__cause__ = error
            except _Busy as error:
                problem, wait = error.problem, error.wait
            if attempt < self.retries:
                # Jitter keeps many clients from coming back at once.
                time.sleep(min(_LONGEST_WAIT, max(wait, 0.5 * 2**attempt * random.uniform(0.5, 1.5))))
        raise problem


class _Busy(Exception):  # noqa: N818 - internal: leaves this file as the NetworkError that it holds
    """The server answered that it cannot now."""

    def __init__(self, problem: NetworkError, wait: float) -> None:
        super().__init__(str(problem))
        self.problem, self.wait = problem, wait


def _raise_for(response: httpx2.Response, url: str) -> None:
    code = response.status_code
    if code < 300:
        return
    if code in _BUSY:
        after = response.headers.get("Retry-After", "")
        problem = NetworkError(url, f"answers with status {code}", "Try again later; the server's log may say more.")
        raise _Busy(problem, float(after) if after.isdigit() else 0.0)
    if code in _FORBIDDEN:
        raise ConfigurationError(url, f"refuses access (status {code})", "Give a token, or a user and password.")
    if code == 404:
        raise InputError(url, "has no such study, series or instance, or no DICOMweb at this address", "Check both.")
    raise InputError(url, f"refuses the request (status {code})", "Check the address and what was asked.")


def _path(study: str, series: str | None = None, instance: str | None = None) -> str:
    names = {"studies": study, "series": series, "instances": instance}
    for uid in names.values():
        if uid is not None and not _UID.fullmatch(uid):
            raise InputError(uid, "is not a DICOM UID", "Pass digits and dots only.")
    if instance is not None and series is None:
        raise InputError(instance, "has no series", "Name the series of the instance, too.")
    return "/".join(f"{name}/{uid}" for name, uid in names.items() if uid is not None)


def _json(response: httpx2.Response, url: str) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise InputError(url, "does not answer with DICOM JSON", "Check that the address is DICOMweb's.") from error


def _dataset(item: Any, url: str) -> Dataset:
    try:
        with quiet():
            return Dataset.from_json(item, bulk_data_uri_handler=lambda _uri: None)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InputError(url, f"sent a data set that is not DICOM JSON ({error})", "Report it to its maker.") from error


def _contents(response: httpx2.Response, url: str) -> Iterator[Iterator[bytes]]:
    """The instances of a WADO-RS answer; some servers send a single one without a multipart body around it."""
    kind = response.headers.get("Content-Type", "")
    boundary = boundary_of(kind)
    if boundary is not None:
        yield from (content for _headers, content in parts(response.iter_bytes(_CHUNK), boundary))
    elif kind.startswith("application/dicom") and not kind.startswith(_JSON):
        yield response.iter_bytes(_CHUNK)
    else:
        raise InputError(url, f"answers WADO-RS with {kind or 'a body of no kind'}", "Check the address.")


def _save(content: Iterator[bytes], folder: Path, number: int) -> Path:
    """Write one part, named by the UID in it; by its number where that is none."""
    folder.mkdir(parents=True, exist_ok=True)
    received = folder / f".{secrets.token_hex(6)}.part"
    try:
        with received.open("xb") as file:
            for chunk in content:
                file.write(chunk)
        try:
            with quiet():
                uid = str(read_header(received).dataset.get("SOPInstanceUID", ""))
        except InputError:
            uid = ""
        final = folder / (f"{uid}.dcm" if _UID.fullmatch(uid) else f"{number:06d}.dcm")
        with atomic_path(final) as temporary:
            received.replace(temporary)
        return final
    except OSError as error:
        raise InputError(
            folder, f"cannot be written ({error.strerror})", "Free some space or write elsewhere."
        ) from error
    finally:
        received.unlink(missing_ok=True)
