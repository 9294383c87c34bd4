"""A small OpenAI-compatible server for tests: real HTTP on this machine, answers by plain rules, faults on demand."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KINDS = (
    "false_finding", "omitted_finding", "wrong_location", "wrong_severity", "false_comparison", "omitted_comparison",
)  # fmt: skip

QUESTIONS = ("STATEMENT", "REPORT", "REFERENCE")


class ChatServer(ThreadingHTTPServer):
    """Answers questions of `groundglass.metrics.judge`; `faults` are taken, one per request, before any answer."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.faults: deque[Callable[[_Handler], bool]] = deque()
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.formats = ("json_schema", "json_object")
        self.wrap = "{}"
        self.delay = 0.0
        self.answer: Callable[[str], str] = answer
        self.lock = threading.Lock()
        self.running = self.most_running = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    server = ChatServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(question: str) -> str:
    """Entailed = a premise with the same words; errors = sentences that only one report has; phrases = sentences."""
    if question.startswith("STATEMENT"):
        statement, _, listed = question.removeprefix("STATEMENT\n").partition("\n\nPREMISES\n")
        premises = [line.partition(". ") for line in listed.splitlines()]
        evidence = [int(number) for number, _, text in premises if text.lower() == statement.lower()]
        return json.dumps({"verdict": "entailed" if evidence else "not entailed", "evidence": evidence, "note": ""})
    if question.startswith("REPORT"):
        return json.dumps({"phrases": sentences(question.removeprefix("REPORT\n"))})
    reference, _, candidate = question.removeprefix("REFERENCE\n").partition("\n\nCANDIDATE\n")
    said, truth = sentences(candidate), sentences(reference)
    errors = {kind: [] for kind in KINDS} | {
        "false_finding": [text for text in said if text not in truth],
        "omitted_finding": [text for text in truth if text not in said],
    }
    matched = [text for text in said if text in truth]
    return json.dumps({"matched": matched, "significant": errors, "insignificant": {kind: [] for kind in KINDS}})


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=\.)\s+", text.strip()) if part and part != "(empty)"]


def status(code: int, body: str = '{"error": {"message": "no"}}', **headers: str) -> Callable[[_Handler], bool]:
    """A fault: this status instead of an answer."""

    def fault(handler: _Handler) -> bool:
        handler.reply(code, body, headers)
        return True

    return fault


def text(content: str | None, finish: str = "stop", **message: Any) -> Callable[[_Handler], bool]:
    """A fault: a completion with this text."""

    def fault(handler: _Handler) -> bool:
        handler.complete(content, finish, **message)
        return True

    return fault


def hang_up(handler: _Handler) -> bool:
    """A fault: the connection ends without a word."""
    handler.close_connection = True
    return True


def slow(seconds: float) -> Callable[[_Handler], bool]:
    """A fault: the answer comes late."""

    def fault(handler: _Handler) -> bool:
        time.sleep(seconds)
        return False

    return fault


def trickle(seconds: float) -> Callable[[_Handler], bool]:
    """A fault: the reply comes byte by byte, none of them late."""

    def fault(handler: _Handler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.02)
        return True

    return fault


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ChatServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            server.bodies.append(body)
            server.keys.append(self.headers.get("Authorization", ""))
            server.running += 1
            server.most_running = max(server.most_running, server.running)
            fault = server.faults.popleft() if server.faults else None
        try:
            time.sleep(server.delay)
            if self.path != "/v1/chat/completions":
                self.reply(404, '{"error": {"message": "no such path"}}', {})
            elif fault is None or not fault(self):
                wanted = body.get("response_format", {}).get("type", "text")
                if wanted != "text" and wanted not in server.formats:
                    self.reply(400, json.dumps({"error": {"message": f"response_format {wanted} is unknown"}}), {})
                else:
                    asked = [turn["content"] for turn in body["messages"] if turn["content"].startswith(QUESTIONS)]
                    self.complete(server.wrap.replace("{}", server.answer(asked[-1])), "stop")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with server.lock:
                server.running -= 1

    def complete(self, content: str | None, finish: str, **message: Any) -> None:
        said = {"role": "assistant", "content": content, **message}
        usage = {"prompt_tokens": 100, "completion_tokens": 10}
        choice = {"index": 0, "message": said, "finish_reason": finish}
        self.reply(200, json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}), {})

    def reply(self, code: int, body: str, headers: dict[str, str]) -> None:
        content = body.encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""
