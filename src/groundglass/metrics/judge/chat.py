"""One chat completion of an OpenAI-compatible server, bounded in number, time and size, asked again where it may help.

The key comes from an environment variable at each request; it is never kept, written or shown. Report texts are
patients' data: an address outside this machine and its private network must be https.
"""

from __future__ import annotations

import ipaddress
import json
import os
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from groundglass.core.errors import ConfigurationError
from groundglass.metrics.judge.protocol import JudgeError
from groundglass.metrics.judge.usage import Ledger

Messages = Sequence[Mapping[str, str]]
_AGAIN = {408, 409, 425, 429, 500, 502, 503, 504, 529}
_LARGEST_REPLY = 8 << 20
_FORMAT_WORDS = (b"response_format", b"json_schema", b"json_object", b"guided")
_OPTIONS: Mapping[str, Any] = {"temperature": 0, "max_tokens": 2048}


@dataclass(frozen=True, slots=True)
class Reply:
    """The text of an answer, what it cost, and how many requests it took."""

    text: str
    input_tokens: int = 0
    output_tokens: int = 0
    requests: int = 1
    seconds: float = 0.0


class Chat(Protocol):
    """Whatever completes a chat."""

    @property
    def model(self) -> str:
        """The model's name as the server knows it."""

    @property
    def options(self) -> Mapping[str, Any]:
        """What is sent beside the messages."""

    @property
    def parallel(self) -> int:
        """How many chats may run at the same time."""

    @property
    def ledger(self) -> Ledger:
        """Where requests, tokens and failures are counted."""

    def complete(self, messages: Messages, schema_name: str, schema: Mapping[str, Any]) -> Reply:
        """The next turn, as JSON of the schema where the server can do that. Raises JudgeError without an answer."""

    def close(self) -> None:
        """Free what it holds."""


class RecordedChat:
    """No server: every question that is not in the transcript store fails. For offline replays."""

    parallel = 1

    def __init__(self, model: str, *, options: Mapping[str, Any] = _OPTIONS) -> None:
        self.model, self.options, self.ledger = model, dict(options), Ledger()

    def complete(self, messages: Messages, schema_name: str, schema: Mapping[str, Any]) -> Reply:
        """Always fails."""
        self.ledger.fail("not recorded")
        raise JudgeError(self.model, "has no recorded answer to this question", "Ask it once with an endpoint.")

    def close(self) -> None:
        """Nothing is held."""


class ChatEndpoint:
    """A server at `url` (its base, as in http://localhost:8000/v1), asked by up to `parallel` requests at a time.

    `options` go into each request (a None leaves one out). A request may take `timeout` seconds in all; after a
    timeout, a broken connection, 429 or 5xx it is repeated, up to `attempts` times, after the time that the server
    names or `backoff` seconds doubled each time, at most `longest_wait`. `key_variable` names the environment variable
    with the key; without it no key is sent. Raises ConfigurationError for an address that cannot be used.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        options: Mapping[str, Any] = _OPTIONS,
        key_variable: str = "OPENAI_API_KEY",
        parallel: int = 8,
        attempts: int = 5,
        timeout: float = 120.0,
        backoff: float = 1.0,
        longest_wait: float = 60.0,
    ) -> None:
        import httpx2

        self._url = _checked_url(url)
        self.model, self.options, self.parallel, self.ledger = model, dict(options), max(1, parallel), Ledger()
        self._key_variable, self._attempts, self._timeout = key_variable, max(1, attempts), timeout
        self._backoff, self._longest_wait = backoff, longest_wait
        self._slots = threading.BoundedSemaphore(self.parallel)
        limits = httpx2.Limits(max_connections=self.parallel, max_keepalive_connections=self.parallel)
        # A proxy of the environment is for far addresses: reports meant for this machine do not take a detour.
        far = not _is_near(urlsplit(url).hostname or "")
        self._client = httpx2.Client(timeout=timeout, limits=limits, follow_redirects=False, trust_env=far)
        self._formats = ["json_schema", "json_object", "text"]  # of which the first is used
        self._format_lock = threading.Lock()
        self._heard = False  # whether anything has ever answered at this address

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def complete(self, messages: Messages, schema_name: str, schema: Mapping[str, Any]) -> Reply:
        """The next turn. Raises JudgeError when no attempt succeeds.

        Raises ConfigurationError, which ends a run, when no question could succeed: nothing has ever answered at the
        address, or the server refuses the key or does not know address or model.
        """
        started = time.monotonic()
        for attempt in range(1, self._attempts + 1):
            try:
                reply = self._ask(messages, schema_name, schema)
            except _UnansweredError as failed:
                if failed.again and attempt < self._attempts:
                    self.ledger.add(retries=1)
                    time.sleep(self._pause(attempt, failed.wait))
                    continue
                self.ledger.add(seconds=time.monotonic() - started)
                self.ledger.fail(failed.kind)
                if failed.kind == "connection" and not self._heard:
                    raise ConfigurationError(self._url, f"does not answer: {failed.problem}", "Start it.") from failed
                raise JudgeError(self.model, f"gave no answer: {failed.problem}", f"Asked {attempt} times.") from failed
            seconds = time.monotonic() - started
            self.ledger.add(seconds=seconds, input_tokens=reply.input_tokens, output_tokens=reply.output_tokens)
            return replace(reply, requests=attempt, seconds=seconds)
        raise AssertionError("the last attempt returns or raises")

    def _pause(self, attempt: int, named: float | None) -> float:
        doubled = self._backoff * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)
        return min(doubled if named is None else named, self._longest_wait)

    def _ask(self, messages: Messages, schema_name: str, schema: Mapping[str, Any]) -> Reply:
        """One request; where the server does not know a response format, one with the next simpler format."""
        while True:
            wanted = self._formats[0]
            body = {"model": self.model, "messages": list(messages), **_format(wanted, schema_name, schema)}
            status, headers, content = self._post(body | {k: v for k, v in self.options.items() if v is not None})
            if status in (400, 422) and wanted != "text" and any(word in content for word in _FORMAT_WORDS):
                self._simpler_format(wanted)
                continue
            return self._read(status, headers, content)

    def _simpler_format(self, refused: str) -> None:
        with self._format_lock:
            if self._formats[0] == refused:
                self._formats.pop(0)

    def _post(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
        import httpx2

        key = os.environ.get(self._key_variable, "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        with self._slots:
            self.ledger.add(requests=1)
            deadline = time.monotonic() + self._timeout
            try:
                with self._client.stream("POST", self._url, json=body, headers=headers) as response:
                    content = bytearray()
                    for part in response.iter_bytes():
                        content += part
                        if time.monotonic() > deadline:
                            raise _UnansweredError("timeout", f"not complete after {self._timeout:g} s", again=True)
                        if len(content) > _LARGEST_REPLY:
                            raise _UnansweredError("too large", f"more than {_LARGEST_REPLY} bytes", again=False)
                    self._heard = True
                    return response.status_code, response.headers, bytes(content)
            except httpx2.TimeoutException as error:
                raise _UnansweredError("timeout", f"not complete after {self._timeout:g} s", again=True) from error
            except httpx2.HTTPError as error:
                raise _UnansweredError("connection", f"{type(error).__name__}: {error}", again=True) from error

    def _read(self, status: int, headers: Mapping[str, str], content: bytes) -> Reply:
        if status in (401, 403):
            raise ConfigurationError(
                self._url, f"refuses access ({status})", f"Set {self._key_variable} to a valid key."
            )
        if status == 404:
            raise ConfigurationError(
                self._url, f"knows no such thing: {self._shown(content)}", "See address and model."
            )
        if status != 200:
            kind = "rate limited" if status == 429 else f"status {status}"
            again = status in _AGAIN
            raise _UnansweredError(
                kind, f"status {status}: {self._shown(content)}", again=again, wait=_named_wait(headers)
            )
        try:
            data = json.loads(content)
            choice = data["choices"][0]
            message = choice["message"]
            text = _text(message.get("content"))
            usage = data.get("usage") or {}
            tokens = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise _UnansweredError("malformed", f"no chat completion: {self._shown(content)}", again=True) from error
        if message.get("refusal") or choice.get("finish_reason") == "content_filter":
            raise _UnansweredError("refused", f"refused: {message.get('refusal') or 'by a filter'}", again=False)
        if choice.get("finish_reason") == "length":
            raise _UnansweredError("cut off", "cut off at the limit of tokens (raise max_tokens)", again=False)
        return Reply(text, *tokens)

    def _shown(self, content: bytes) -> str:
        """The beginning of a server's message, without the key that some servers repeat."""
        text = " ".join(content[:2000].decode("utf-8", "replace").split())
        key = os.environ.get(self._key_variable, "")
        return (text.replace(key, "***") if key else text)[:200]


class _UnansweredError(Exception):
    """One request without an answer: of which kind, what happened, whether to ask again and when."""

    def __init__(self, kind: str, problem: str, *, again: bool, wait: float | None = None) -> None:
        super().__init__(problem)
        self.kind, self.problem, self.again, self.wait = kind, problem, again, wait


def _format(wanted: str, name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    if wanted == "json_schema":
        described = {"name": name, "strict": True, "schema": schema}
        return {"response_format": {"type": "json_schema", "json_schema": described}}
    return {"response_format": {"type": "json_object"}} if wanted == "json_object" else {}


def _text(content: Any) -> str:
    """The text of a message, whole or in parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content)
    return content if isinstance(content, str) else ""


def _named_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait, given as a number or as a date."""
    named = headers.get("retry-after")
    if named is None:
        return None
    try:
        return max(0.0, float(named))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(named).timestamp() - time.time())
    except ValueError:
        return None


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(url, "is not an http address", "Give a base such as http://localhost:8000/v1.")
    if parts.username or parts.password or parts.query:
        raise ConfigurationError(
            parts.hostname, "has credentials or a query in its address", "Put the key in the environment."
        )
    if parts.scheme == "http" and not _is_near(parts.hostname):
        raise ConfigurationError(url, "would send reports unencrypted to another network", "Use an https address.")
    base = url.rstrip("/")
    return base if base.endswith("/chat/completions") else f"{base}/chat/completions"


def _is_near(host: str) -> bool:
    """This machine, or an address of a private network."""
    if (
        host == "localhost"
        or host.endswith((".localhost", ".local", ".internal"))
        or ("." not in host and ":" not in host)
    ):
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
