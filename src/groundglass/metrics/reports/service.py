"""Any judge behind an OpenAI-compatible address on this machine: for programs that can ask only a chat server.

It answers the four questions of `groundglass.metrics.judge` (and no other chat): the judge's verdict in the JSON that
a language model is asked for. With the rule judge it is also the known party against which an endpoint's whole way
(prompt, HTTP, reply, store) is checked.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from groundglass.metrics.judge.protocol import ERROR_KINDS, Judge, Phrase, ReportError

_ENTAILMENT = re.compile(r"\s*STATEMENT\n(?P<hypothesis>.*?)\n\s*PREMISES\n(?P<premises>.*)", re.DOTALL)
_PAIR = re.compile(r"\s*REFERENCE\n(?P<reference>.*?)\n\s*CANDIDATE\n(?P<candidate>.*)", re.DOTALL)
_REPORT = re.compile(r"\s*REPORT\n(?P<report>.*)", re.DOTALL)
_PREMISE = re.compile(r"^\d+\. (.*)$", re.MULTILINE)
_EMPTY = "(empty)"


@contextmanager
def judge_service(judge: Judge) -> Iterator[str]:
    """Serve `judge` on a free port of this machine; yields the base address (http://127.0.0.1:PORT/v1)."""
    server = _Service(judge)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(judge: Judge, question: str, schema: str) -> str | None:
    """The judge's answer to a question of this package as JSON; None when it is none of the four.

    `schema` is the name of the wanted JSON schema: questions for errors and for GREEN have the same words.
    """
    if asked := _ENTAILMENT.fullmatch(question):
        premises = [Phrase(text) for text in _PREMISE.findall(asked["premises"])]
        verdict = judge.entails(Phrase(asked["hypothesis"].strip()), premises)
        evidence = [index + 1 for index in verdict.evidence]
        return json.dumps({"verdict": verdict.verdict, "evidence": evidence, "note": verdict.note})
    if asked := _PAIR.fullmatch(question):
        candidate, reference = (_report(asked[name]) for name in ("candidate", "reference"))
        if schema == "green":
            counts = judge.green(candidate, reference)
            return json.dumps({"matched": list(counts.matched), **_errors(counts.errors)})
        return json.dumps(_errors(judge.errors(candidate, reference)))
    if asked := _REPORT.fullmatch(question):
        return json.dumps({"phrases": list(judge.phrases(asked["report"].strip()))})
    return None


def _report(text: str) -> str:
    return "" if text.strip() == _EMPTY else text.strip()


def _errors(errors: Sequence[ReportError]) -> dict[str, dict[str, list[str]]]:
    return {
        name: {
            kind.replace(" ", "_"): [e.note or kind for e in errors if e.kind == kind and e.significant is significant]
            for kind in ERROR_KINDS
        }
        for name, significant in (("significant", True), ("insignificant", False))
    }


class _Service(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, judge: Judge) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.judge = judge


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Service

    def do_POST(self) -> None:
        """One chat completion."""
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            question = str(body["messages"][-1]["content"])
            schema = str(body.get("response_format", {}).get("json_schema", {}).get("name", ""))
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            self._reply(400, {"error": {"message": "not a chat completion request"}})
            return
        said = answer(self.server.judge, question, schema) if self.path.endswith("/chat/completions") else None
        if said is None:
            self._reply(404, {"error": {"message": "only the questions of a report judge are answered here"}})
            return
        message = {"role": "assistant", "content": said}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        self._reply(200, {"object": "chat.completion", "model": self.server.judge.name, "choices": [choice]})

    def _reply(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: reports are nobody's log."""
