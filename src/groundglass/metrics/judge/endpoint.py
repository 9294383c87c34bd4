"""A judge that asks a language model: the papers' questions in our words, answers checked, kept and counted."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any, TypeVar

from groundglass.metrics.judge.chat import Chat, ChatEndpoint, RecordedChat, Reply
from groundglass.metrics.judge.prompt import Prompt, load_prompt
from groundglass.metrics.judge.protocol import Entailment, GreenCounts, JudgeError, Phrase, ReportError
from groundglass.metrics.judge.replies import (
    ReplyError,
    read_entailment,
    read_errors,
    read_green,
    read_phrases,
)
from groundglass.metrics.judge.transcripts import FailedQuestion, Transcript, TranscriptStore, request_key
from groundglass.metrics.judge.usage import Usage

Answer = TypeVar("Answer")
_PROMPTS = ("entailment", "phrases", "errors", "green")


class EndpointJudge:
    """A judge on a chat endpoint. One question is asked once: the store answers the second time.

    A reply that cannot be read is sent back with what is wrong with it, up to `readings` replies in all; then the
    question fails with JudgeError and is kept among the store's failures. Nothing is ever guessed from a broken reply.
    """

    def __init__(self, chat: Chat, store: TranscriptStore | None = None, *, readings: int = 2) -> None:
        """Without a store the transcripts live in memory, as long as the judge."""
        self.store = store or TranscriptStore(":memory:")
        self._chat, self._readings = chat, max(1, readings)
        self._asking: dict[str, Future[Any]] = {}
        self._lock = threading.Lock()

    @classmethod
    def at(cls, url: str, model: str, *, store: str | os.PathLike[str] | None = None, **how: Any) -> EndpointJudge:
        """At a server's address; `store` is the file of transcripts, `how` the keywords of `ChatEndpoint`.

        Raises ConfigurationError and InputError when the address or the store cannot be used.
        """
        return cls(ChatEndpoint(url, model, **how), TranscriptStore(store) if store is not None else None)

    @classmethod
    def recorded(cls, model: str, store: str | os.PathLike[str], **how: Any) -> EndpointJudge:
        """Without a server, from transcripts of the same model and options; other questions fail."""
        return cls(RecordedChat(model, **how), TranscriptStore(store))

    def close(self) -> None:
        """Close the connections and the store."""
        self._chat.close()
        self.store.close()

    @property
    def name(self) -> str:
        """Model, and the version and hash of each prompt."""
        prompts = (load_prompt(name) for name in _PROMPTS)
        return f"{self._chat.model} ({', '.join(f'{p.name} {p.version}:{p.digest[:8]}' for p in prompts)})"

    @property
    def parallel(self) -> int:
        return self._chat.parallel

    @property
    def usage(self) -> Usage:
        """Questions, requests, tokens and failures so far."""
        return self._chat.ledger.usage

    def phrases(self, report: str) -> tuple[str, ...]:
        """The statements of a report; an empty report has none, without a question."""
        return self._ask("phrases", {"report": report.strip()}, read_phrases) if report.strip() else ()

    def entails(self, hypothesis: Phrase, premises: Sequence[Phrase]) -> Entailment:
        """Whether the premises state the hypothesis; without premises they do not, without a question."""
        if not premises:
            return Entailment("not entailed", (), "no premises")
        listed = "\n".join(f"{number}. {_line(premise.text)}" for number, premise in enumerate(premises, 1))
        slots = {"hypothesis": _line(hypothesis.text), "premises": listed}
        return self._ask("entailment", slots, lambda text: read_entailment(text, len(premises)))

    def errors(self, candidate: str, reference: str) -> tuple[ReportError, ...]:
        """The errors of six kinds, significant and not."""
        return self._ask("errors", _reports(candidate, reference), read_errors)

    def green(self, candidate: str, reference: str) -> GreenCounts:
        """Matched findings and errors."""
        return self._ask("green", _reports(candidate, reference), read_green)

    def _ask(self, name: str, slots: Mapping[str, str], read: Callable[[str], Answer]) -> Answer:
        """The answer from the store, from a thread that is asking the same, or from the server."""
        prompt = load_prompt(name)
        messages = prompt.messages(slots)
        request = {"model": self._chat.model, "options": dict(self._chat.options), "messages": messages}
        key, text = request_key(prompt.digest, request)
        self._chat.ledger.add(questions=1)
        with self._lock:
            waiting = self._asking.get(key)
            if waiting is None:
                mine: Future[Any] = Future()
                self._asking[key] = mine
        if waiting is not None:
            self._chat.ledger.add(from_store=1)
            answer: Answer = waiting.result()
            return answer
        try:
            found = self._answer(prompt, key, text, messages, read)
        except BaseException as error:
            mine.set_exception(error)
            raise
        else:
            mine.set_result(found)
            return found
        finally:
            with self._lock:
                del self._asking[key]

    def _answer(
        self, prompt: Prompt, key: str, request: str, messages: list[dict[str, str]], read: Callable[[str], Answer]
    ) -> Answer:
        kept = self.store.get(key)
        if kept is not None:
            self._chat.ledger.add(from_store=1)
            return self._read_kept(kept, read)
        problem, last = "", ""
        spent = Reply("", requests=0)
        for _ in range(self._readings):
            try:
                reply = self._chat.complete(messages, prompt.name, prompt.schema)
            except JudgeError as error:
                self._keep_failure(prompt, key, request, error.problem, last)
                raise
            spent, last = _together(spent, reply), reply.text
            try:
                read(last)
            except ReplyError as error:
                problem = str(error)
                messages = [*messages, {"role": "assistant", "content": last}, _correction(problem)]
                continue
            return read(self.store.put(self._entry(prompt, key, request, spent)).reply)
        self._chat.ledger.fail("unreadable")
        self._keep_failure(prompt, key, request, problem, last)
        raise JudgeError(self._chat.model, f"gave no readable answer: {problem}", f"Asked {self._readings} times.")

    def _read_kept(self, kept: Transcript, read: Callable[[str], Answer]) -> Answer:
        try:
            return read(kept.reply)
        except ReplyError as error:
            self._chat.ledger.fail("unreadable")
            raise JudgeError(self.store.path, f"holds an unreadable reply ({error})", "Was it changed?") from error

    def _entry(self, prompt: Prompt, key: str, request: str, reply: Reply) -> Transcript:
        return Transcript(
            key, self._chat.model, f"{prompt.name} {prompt.version}", prompt.digest, request, reply.text,
            reply.input_tokens, reply.output_tokens, reply.requests, reply.seconds, _now(),
        )  # fmt: skip

    def _keep_failure(self, prompt: Prompt, key: str, request: str, problem: str, reply: str) -> None:
        self.store.put_failure(
            FailedQuestion(
                key, self._chat.model, f"{prompt.name} {prompt.version}", prompt.digest, request, problem, reply, _now()
            )
        )


def _reports(candidate: str, reference: str) -> dict[str, str]:
    return {"candidate": candidate.strip() or "(empty)", "reference": reference.strip() or "(empty)"}


def _line(text: str) -> str:
    return " ".join(text.split())


def _correction(problem: str) -> dict[str, str]:
    return {"role": "user", "content": f"This cannot be read: {problem}. Reply with the corrected JSON object only."}


def _together(before: Reply, after: Reply) -> Reply:
    return Reply(
        after.text,
        before.input_tokens + after.input_tokens,
        before.output_tokens + after.output_tokens,
        before.requests + after.requests,
        before.seconds + after.seconds,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
