"""Reading replies: whatever is said completely is read, whatever is not is a typed problem and never a zero."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundglass.metrics.judge.protocol import ERROR_KINDS
from groundglass.metrics.judge.replies import (
    ReplyError,
    json_object,
    read_entailment,
    read_errors,
    read_green,
    read_phrases,
)

KEYS = [kind.replace(" ", "_") for kind in ERROR_KINDS]


def _counts(rng: random.Random) -> list[list[int]]:
    return [[rng.choice((0, 0, 1, 2, 5)) for _ in ERROR_KINDS] for _ in range(2)]


def _found(text: str) -> list[list[int]]:
    errors = read_errors(text)
    return [[sum(e.kind == kind and e.significant == s for e in errors) for kind in ERROR_KINDS] for s in (True, False)]


def _as_json(counts: list[list[int]], rng: random.Random) -> str:
    style = rng.randrange(3)
    parts = {}
    for name, row in zip(("significant", "insignificant"), counts, strict=True):
        keys = rng.choice((KEYS, list(ERROR_KINDS), [key.upper() for key in KEYS], list("ABCDEF")))
        parts[name] = {k: n if style == 0 else [f"note {i}" for i in range(n)] for k, n in zip(keys, row, strict=True)}
    text = json.dumps(parts, indent=rng.choice((None, 2)))
    around = ("{}", "```json\n{}\n```", "Sure!\n{}\nHope it helps {{}}", "<think>{{maybe}}</think>{}", "{{draft}} {}")
    return rng.choice(around[:4]).format(text) if style else text


def _as_lists(counts: list[list[int]], rng: random.Random) -> str:
    shapes = ("({}, {})", "[{}, {}]", "({}: {})", "'{}': {}", "({}) = {}", '["{}", {}]', "({}, {}) because it is wrong")
    shape, lower = rng.choice(shapes), rng.random() < 0.3
    heads = rng.choice(
        (
            ("Clinically significant errors:", "Clinically insignificant errors:"),
            ("significant", "not significant"),
            ("**Significant**\n", "**Non-significant**\n"),
        )
    )
    sections = []
    for head, row in zip(heads, counts, strict=True):
        pairs = [shape.format(letter.lower() if lower else letter, n) for letter, n in zip("ABCDEF", row, strict=True)]
        sections.append(f"{head} [{rng.choice((', ', '; ', chr(10))).join(pairs)}]")
    return "\n".join(sections)


def test_500_replies_are_counted_right_or_refused() -> None:
    rng = random.Random(7)
    refused = 0
    for number in range(500):
        counts = _counts(rng)
        text = (_as_json if number % 2 else _as_lists)(counts, rng)
        if number % 5 == 0:  # a kind is missing, or the reply is cut
            cut = rng.randrange(len(text) // 2, len(text) - 4)
            text = text[:cut]
            try:
                assert _found(text) == counts, text
            except ReplyError:
                refused += 1
        else:
            assert _found(text) == counts, text
    assert refused > 50


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No errors.",
        "{}",
        "[]",
        '{"significant": {}, "insignificant": {}}',
        json.dumps({"significant": dict.fromkeys(KEYS, 0)}),
        json.dumps({"significant": dict.fromkeys(KEYS, 0), "insignificant": dict.fromkeys(KEYS[:5], 0)}),
        json.dumps({"significant": dict.fromkeys([*KEYS, "typo"], 0), "insignificant": dict.fromkeys(KEYS, 0)}),
        json.dumps({"significant": dict.fromkeys(KEYS, -1), "insignificant": dict.fromkeys(KEYS, 0)}),
        json.dumps({"significant": dict.fromkeys(KEYS, True), "insignificant": dict.fromkeys(KEYS, 0)}),
        json.dumps({"significant": dict.fromkeys(KEYS, None), "insignificant": dict.fromkeys(KEYS, 0)}),
        "Significant: (A, 1), (B, 0)",
        "Significant: A, B. Insignificant: none",
        "Significant: (A,0),(A,1),(B,0),(C,0),(D,0),(E,0),(F,0) Insignificant: (A,0),(B,0),(C,0),(D,0),(E,0),(F,0)",
    ],
)
def test_incomplete_errors_are_refused(text: str) -> None:
    with pytest.raises(ReplyError):
        read_errors(text)


def test_green_needs_its_matches_and_its_errors() -> None:
    none = {"significant": dict.fromkeys(KEYS, 0), "insignificant": dict.fromkeys(KEYS, 0)}
    assert read_green(json.dumps({"matched": ["a", " "], **none})).matched == ("a",)
    with pytest.raises(ReplyError, match="matched"):
        read_green(json.dumps(none))
    with pytest.raises(ReplyError, match="significant"):
        read_green('{"matched": ["a"]}')
    with pytest.raises(ReplyError, match="one complete JSON object"):
        read_green("Matched Findings: 3")


@pytest.mark.parametrize(
    ("text", "verdict", "evidence"),
    [
        ('{"verdict": "entailed", "evidence": [2, 1, 2], "note": "n"}', "entailed", (0, 1)),
        ('{"verdict": "Entailment", "evidence": ["3"]}', "entailed", (2,)),
        ('{"verdict": "not_entailment", "evidence": []}', "not entailed", ()),
        ('{"verdict": "contradiction", "evidence": [1]}', "not entailed", (0,)),
        (
            'first {"verdict": "entailed", "evidence": [1]} then {"verdict": "not entailed", "evidence": []}',
            "not entailed",
            (),
        ),
    ],
)
def test_entailment_is_read(text: str, verdict: str, evidence: tuple[int, ...]) -> None:
    found = read_entailment(text, 3)
    assert (found.verdict, found.evidence) == (verdict, evidence)


@pytest.mark.parametrize(
    "text",
    [
        '{"verdict": "yes", "evidence": [1]}',
        '{"verdict": "entailed", "evidence": []}',
        '{"verdict": "entailed", "evidence": [0]}',
        '{"verdict": "entailed", "evidence": [4]}',
        '{"verdict": "entailed", "evidence": [true]}',
        '{"verdict": "entailed", "evidence": "1"}',
        '{"verdict": "entailed", "verdict": "not entailed", "evidence": [1]}',
        '{"verdict": "entailed", "evidence": [1',
        "entailed",
    ],
)
def test_unusable_entailment_is_refused(text: str) -> None:
    with pytest.raises(ReplyError):
        read_entailment(text, 3)


def test_phrases_are_strings() -> None:
    assert read_phrases('{"phrases": [" a ", "", "b"]}') == ("a", "b")
    assert read_phrases('{"phrases": []}') == ()
    for text in ('{"phrases": "a"}', '{"phrases": [1]}', '{"sentences": []}', "a. b."):
        with pytest.raises(ReplyError):
            read_phrases(text)


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (read_errors, read_green, read_phrases, json_object, lambda said: read_entailment(said, 3)):
        try:
            read(text)
        except ReplyError as problem:
            assert str(problem)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(ReplyError):
        json_object('{"a":' * 5000)
