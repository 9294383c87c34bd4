"""The endpoint judge against a real HTTP server on this machine, with every fault that servers show."""

from __future__ import annotations

import json
import multiprocessing
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from judge_server import ChatServer, chat_server, hang_up, slow, status, text, trickle

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.judge import (
    ERROR_KINDS,
    ChatEndpoint,
    EndpointJudge,
    Judge,
    JudgeError,
    Phrase,
    Price,
    Transcript,
    TranscriptStore,
    ask_all,
)
from groundglass.metrics.judge.prompt import load_prompt

KEY = "sk-secret-of-the-test"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with chat_server() as running:
        yield running


def judge_at(server: ChatServer, store: Path | None = None, **how: Any) -> EndpointJudge:
    how = {"backoff": 0.01, "longest_wait": 0.2, "timeout": 5.0, "attempts": 3} | how
    return EndpointJudge.at(server.url, "tiny", store=store, **how)


PREMISES = [Phrase("No effusion."), Phrase("Heart is enlarged.", ((0.1, 0.1, 0.5, 0.5),))]


def test_answers_of_every_question(server: ChatServer) -> None:
    judge = judge_at(server)
    assert isinstance(judge, Judge)
    entailed = judge.entails(Phrase("Heart is enlarged."), PREMISES)
    assert (entailed.verdict, entailed.evidence) == ("entailed", (1,))
    assert not judge.entails(Phrase("Heart is normal."), PREMISES).entailed
    assert judge.phrases("No effusion. Heart is enlarged.") == ("No effusion.", "Heart is enlarged.")
    errors = judge.errors("A mass. No effusion. A fracture.", "No effusion. A nodule.")
    assert [(error.kind, error.significant, error.note) for error in errors] == [
        ("false finding", True, "A mass."),
        ("false finding", True, "A fracture."),
        ("omitted finding", True, "A nodule."),
    ]
    green = judge.green("A mass. No effusion.", "No effusion.")
    assert green.matched == ("No effusion.",)
    assert [error.kind for error in green.errors] == ["false finding"]
    assert judge.usage.requests == 5
    assert judge.usage.failed == 0
    assert judge.usage.cost(Price(input=2.0, output=10.0)) == pytest.approx(5 * (100 * 2 + 10 * 10) / 1e6)


def test_what_needs_no_question_asks_none(server: ChatServer) -> None:
    judge = judge_at(server)
    assert judge.entails(Phrase("A mass."), []).verdict == "not entailed"
    assert judge.phrases(" \n") == ()
    assert judge.usage.requests == 0


def test_request_is_a_deterministic_schema_bound_chat(server: ChatServer) -> None:
    judge_at(server).errors("A mass.", "No mass.")
    body = server.bodies[0]
    assert (body["model"], body["temperature"]) == ("tiny", 0)
    assert body["response_format"]["json_schema"]["strict"] is True
    roles = [message["role"] for message in body["messages"]]
    assert roles == ["system", *["user", "assistant"] * 5, "user"]
    assert "A mass." in body["messages"][-1]["content"]


@pytest.mark.parametrize("name", ["entailment", "phrases", "errors", "green"])
def test_examples_of_prompts_fit_their_schema(name: str) -> None:
    prompt = load_prompt(name)
    assert len(prompt.examples) >= 3
    for _, answer in prompt.examples:
        jsonschema.validate(json.loads(answer), prompt.schema)
    assert "$" not in prompt.messages(prompt.examples[0][0])[-1]["content"]


def test_same_question_is_asked_once_also_by_another_judge(server: ChatServer, tmp_path: Path) -> None:
    store = tmp_path / "transcripts.sqlite"
    first = judge_at(server, store).entails(Phrase("A mass."), PREMISES)
    server.answer = lambda question: '{"verdict": "entailed", "evidence": [1], "note": "changed its mind"}'
    again = judge_at(server, store)
    assert again.entails(Phrase("A mass."), PREMISES) == first
    assert (again.usage.requests, again.usage.from_store) == (0, 1)
    assert judge_at(server).entails(Phrase("A mass."), PREMISES).entailed  # another store, another answer


def test_other_model_options_or_words_are_other_questions(server: ChatServer, tmp_path: Path) -> None:
    store = tmp_path / "transcripts.sqlite"
    judge_at(server, store).entails(Phrase("A mass."), PREMISES)
    EndpointJudge.at(server.url, "other", store=store).entails(Phrase("A mass."), PREMISES)
    judge_at(server, store, options={"temperature": 1}).entails(Phrase("A mass."), PREMISES)
    judge_at(server, store).entails(Phrase("A mass."), PREMISES[::-1])
    assert len(server.bodies) == 4
    assert len(list(TranscriptStore(store).entries())) == 4


def test_recorded_judge_answers_without_a_server(server: ChatServer, tmp_path: Path) -> None:
    store = tmp_path / "transcripts.sqlite"
    errors = judge_at(server, store).errors("A mass.", "No mass.")
    recorded = EndpointJudge.recorded("tiny", store)
    assert recorded.errors("A mass.", "No mass.") == errors
    with pytest.raises(JudgeError, match="no recorded answer"):
        recorded.errors("A mass.", "A nodule.")
    assert recorded.usage.failures == {"not recorded": 1}


def test_transcript_can_be_audited(server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    store = tmp_path / "transcripts.sqlite"
    server.faults += [status(500, f'{{"error": "key {KEY} is unlucky"}}')]
    judge = judge_at(server, store)
    judge.errors("A mass.", "No mass.")
    assert server.keys == [f"Bearer {KEY}"] * 2
    [entry] = TranscriptStore(store).entries()
    assert (entry.model, entry.prompt, entry.requests) == ("tiny", "errors 1", 2)
    assert entry.prompt_hash == load_prompt("errors").digest
    assert json.loads(entry.request)["messages"][-1]["content"].endswith("A mass.")
    assert json.loads(entry.reply)["matched"] == []
    assert (entry.input_tokens, entry.output_tokens) == (100, 10)
    assert entry.at.endswith("+00:00")
    assert all(KEY.encode() not in file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.parametrize(
    "faults",
    [
        [status(429), status(503)],
        [status(429, retry_after="0")],
        [status(429, retry_after=formatdate(time.time() + 0.1, usegmt=True))],
        [hang_up],
        [text("not json at all")],
        [text('{"verdict": "entailed"}')],
        [text('{"verdict": "perhaps", "evidence": []}')],
        [text('{"verdict": "entailed", "evidence": [7], "note": ""}')],
        [status(200, "<html>a proxy says hello</html>")],
        [status(200, '{"choices": []}')],
    ],
)
def test_passing_faults_are_overcome(server: ChatServer, faults: list[Any]) -> None:
    server.faults += faults
    judge = judge_at(server)
    assert judge.entails(Phrase("No effusion."), PREMISES).evidence == (0,)
    assert judge.usage.requests == len(faults) + 1
    assert judge.usage.failed == 0


def test_late_answers_time_out_and_are_asked_again(server: ChatServer) -> None:
    server.faults += [slow(1.0), trickle(1.0)]
    judge = judge_at(server, timeout=0.3)
    started = time.monotonic()
    assert judge.entails(Phrase("No effusion."), PREMISES).entailed
    assert time.monotonic() - started < 2.5
    assert judge.usage.retries == 2


def test_unreadable_reply_is_sent_back_with_what_is_wrong(server: ChatServer) -> None:
    server.faults += [text('{"verdict": "entailed", "evidence": [], "note": ""}')]
    judge_at(server).entails(Phrase("No effusion."), PREMISES)
    assert server.bodies[1]["messages"][-2]["role"] == "assistant"
    assert "at least one premise" in server.bodies[1]["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("fault", "requests", "kind"),
    [
        (status(429), 3, "rate limited"),
        (status(500), 3, "status 500"),
        (status(400, '{"error": {"message": "context too long"}}'), 1, "status 400"),
        (text("no idea"), 2, "unreadable"),
        (text(None), 2, "unreadable"),
        (text('{"significant": {}, "insignificant": {}}'), 2, "unreadable"),
        (text('{"verdict": "entailed", "evid', finish="length"), 1, "cut off"),
        (text(None, refusal="I cannot interpret medical reports"), 1, "refused"),
        (text("", finish="content_filter"), 1, "refused"),
        (status(200, "[]"), 3, "malformed"),
    ],
)
def test_lasting_faults_fail_by_kind_and_are_never_an_answer(
    server: ChatServer, tmp_path: Path, fault: Any, requests: int, kind: str
) -> None:
    server.faults += [fault] * 5
    judge = judge_at(server, tmp_path / "t.sqlite")
    with pytest.raises(JudgeError):
        judge.errors("A mass.", "No mass.")
    assert len(server.bodies) == requests
    assert judge.usage.failures == {kind: 1}
    assert list(judge.store.entries()) == []
    [failed] = judge.store.failed()
    assert failed.prompt == "errors 1"
    assert failed.problem
    server.faults.clear()
    assert len(judge.errors("A mass.", "No mass.")) == 2  # a failed question may be asked again


def test_where_nothing_ever_answered_the_run_ends() -> None:
    with chat_server() as gone:
        judge = judge_at(gone)
    with pytest.raises(ConfigurationError, match="does not answer: ConnectError"):
        judge.errors("a", "b")


def test_a_server_that_went_away_fails_questions_only(server: ChatServer) -> None:
    judge = judge_at(server)
    judge.errors("a", "b")
    server.faults += [hang_up] * 3
    with pytest.raises(JudgeError, match="gave no answer"):
        judge.errors("a", "c")
    assert judge.usage.failures == {"connection": 1}


def test_unknown_paths_and_models_end_the_run(server: ChatServer) -> None:
    server.faults += [status(404, '{"error": {"message": "model tiny does not exist"}}')]
    with pytest.raises(ConfigurationError, match="model tiny does not exist"):
        judge_at(server).errors("a", "b")
    with pytest.raises(ConfigurationError, match="no such path"):
        EndpointJudge.at(server.url.removesuffix("/v1"), "tiny").errors("a", "b")


@pytest.mark.parametrize("code", [401, 403])
def test_refused_key_ends_the_run(server: ChatServer, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setenv("OTHER_KEY", KEY)
    server.faults += [status(code, f"bad key {KEY}")]
    judge = judge_at(server, key_variable="OTHER_KEY")
    with pytest.raises(ConfigurationError, match="OTHER_KEY") as caught:
        judge.errors("a", "b")
    assert KEY not in str(caught.value)
    assert server.keys == [f"Bearer {KEY}"]


def test_key_repeated_by_a_server_is_not_shown(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.faults += [status(400, f'{{"error": "the key {KEY} may not do this"}}')]
    with pytest.raises(JudgeError, match=r"the key \*\*\* may not") as caught:
        judge_at(server).errors("a", "b")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(("formats", "tried"), [(("json_object",), 2), ((), 3)])
def test_servers_without_schemas_are_asked_plainly(server: ChatServer, formats: tuple[str, ...], tried: int) -> None:
    server.formats = formats
    server.wrap = "<think>{a} or {b}?</think>Here it is:\n```json\n{}\n```\nDone."
    judge = judge_at(server)
    assert judge.entails(Phrase("No effusion."), PREMISES).entailed
    assert len(server.bodies) == tried
    judge.phrases("A mass. A nodule.")
    assert len(server.bodies) == tried + 1  # what was refused is not tried again


def test_requests_are_bounded_and_parallel(server: ChatServer) -> None:
    server.delay = 0.1
    judge = judge_at(server, parallel=4)
    assert judge.parallel == 4
    questions = [(Phrase(f"Nodule {i}."), [Phrase(f"Nodule {i % 10}.")]) for i in range(24)]
    started = time.monotonic()
    with ThreadPoolExecutor(24) as pool:  # more callers than slots
        answers = list(pool.map(lambda question: judge.entails(*question), questions))
    assert [answer.entailed for answer in answers] == [i < 10 for i in range(24)]
    assert 2 <= server.most_running <= 4
    assert time.monotonic() - started < 24 * 0.1


def test_simultaneous_equal_questions_are_one_request(server: ChatServer) -> None:
    server.delay = 0.2
    judge = judge_at(server, parallel=8)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: judge.entails(Phrase("No effusion."), PREMISES), range(8)))
    assert len(set(answers)) == 1
    assert len(server.bodies) == 1
    assert (judge.usage.questions, judge.usage.from_store) == (8, 7)


def test_failures_stand_in_their_place(server: ChatServer) -> None:
    server.answer = lambda question: "?" if "Nodule 3" in question else '{"phrases": ["x"]}'
    judge = judge_at(server, parallel=3)
    answers = ask_all(judge.phrases, [f"Nodule {i}." for i in range(6)], judge.parallel)
    assert [isinstance(answer, JudgeError) for answer in answers] == [False, False, False, True, False, False]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://localhost/v1", "not an http address"),
        ("localhost:8000", "not an http address"),
        ("http://user:pass@localhost/v1", "has credentials"),
        ("https://example.org/v1?key=1", "has credentials"),
        ("http://example.org/v1", "unencrypted"),
    ],
)
def test_unusable_addresses_are_refused(url: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as caught:
        ChatEndpoint(url, "tiny")
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://localhost:1/v1", "http://[::1]:1/v1/", "http://10.0.0.7", "https://example.org"]
)
def test_near_and_encrypted_addresses_are_taken(url: str) -> None:
    ChatEndpoint(url, "tiny").close()


def _entry(key: str, reply: str) -> Transcript:
    return Transcript(key, "m", "p 1", "h", "{}", reply, at="2026-01-01")


def test_store_keeps_the_first_of_many_writers(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    stores = [TranscriptStore(path) for _ in range(4)]
    kept: list[str] = []
    barrier = threading.Barrier(4)

    def write(index: int) -> None:
        barrier.wait()
        for key in range(25):
            kept.append(f"{key}:{stores[index].put(_entry(str(key), str(index))).reply}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert len(set(kept)) == 25
    assert len(list(stores[0].entries())) == 25


def _write_many(path: Path, index: int) -> None:
    store = TranscriptStore(path)
    for key in range(20):
        store.put(_entry(str(key), str(index)))


def test_store_is_shared_by_processes(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_write_many, args=(path, index)) for index in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0
    assert len(list(TranscriptStore(path).entries())) == 20


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("This is not a data base, but a long enough text file. " * 40, encoding="utf-8")
    with pytest.raises(InputError, match="cannot be used as a transcript store"):
        TranscriptStore(tmp_path / "t.txt")
    with pytest.raises(InputError, match="cannot be used"):
        TranscriptStore(tmp_path)


def test_store_is_for_its_owner_only(server: ChatServer, tmp_path: Path) -> None:
    judge = judge_at(server, tmp_path / "deep" / "t.sqlite")
    judge.errors("A mass.", "No mass.")
    judge.close()
    assert (tmp_path / "deep" / "t.sqlite").stat().st_mode & 0o077 == 0


def test_proxy_of_the_environment_is_not_for_this_machine(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert judge_at(server).phrases("A mass.") == ("A mass.",)


def test_a_changed_transcript_is_noticed(server: ChatServer, tmp_path: Path) -> None:
    store = tmp_path / "t.sqlite"
    judge_at(server, store).errors("A mass.", "No mass.")
    with sqlite3.connect(store) as base:
        base.execute("update transcripts set reply = '{}'")
    with pytest.raises(JudgeError, match="unreadable reply"):
        judge_at(server, store).errors("A mass.", "No mass.")


def test_name_says_model_and_prompts(server: ChatServer) -> None:
    assert judge_at(server).name.startswith("tiny (entailment 1:")
    assert len(ERROR_KINDS) == 6
