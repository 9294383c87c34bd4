"""Many reports at once: label values without the making of findings, in one process or several, in order, bounded.

A report's labels follow from its sentences', and archives say the same sentences again and again: what a sentence gives
is remembered. A source that cannot be read gives a row with its error; the rest goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache, lru_cache, partial
from itertools import chain, islice
from multiprocessing import get_context
from typing import NamedTuple, TypeVar

from groundglass.core.cores import free_cores
from groundglass.core.errors import GroundglassError
from groundglass.core.finding import Status
from groundglass.text.labels import Policy, decide, label_set
from groundglass.text.languages import AUTO, resolved
from groundglass.text.lexicon import lexicon
from groundglass.text.plain import decode_report, plain
from groundglass.text.reading import stating_sentences
from groundglass.text.statement import outline

Item = TypeVar("Item")
Answer = TypeVar("Answer")

CHUNK = 512
"""Reports that travel to a worker at a time."""

_SENTENCES = 65536


class Row(NamedTuple):
    """The labels of one source by name, or what kept it from being read (`error`, else "")."""

    source: str
    values: dict[str, Status | None]
    error: str = ""


def label_values(
    text: str, labels: str = "chexpert14", *, uncertain: Policy | None = None, language: str = "en"
) -> dict[str, Status | None]:
    """What `label` says, without its evidence: several times as fast."""
    chosen = label_set(labels)
    language = resolved(language, text)
    whole = plain(text)
    strongest: dict[str, int] = {}
    for section, start, end in stating_sentences(whole, language):
        if section != "indication":
            for name, strength in _sentence_labels(whole[start:end], labels, language):
                if strength > strongest.get(name, _SILENT):
                    strongest[name] = strength
    for name, excepted in chosen.without:
        others = any(n not in excepted and strength > _DENIED for n, strength in strongest.items())
        strongest[name] = _DENIED if others else _STATED
    values = _values(uncertain or chosen.uncertain)
    return {name: values[strongest.get(name, _SILENT)] for name in chosen.rules}


_SILENT, _DENIED, _STATED = 0, 1, 4
_STRENGTH = {"absent": _DENIED, "uncertain": 2, "present": _STATED}
_STRENGTHS: tuple[tuple[Status | None, bool], ...] = (
    (None, False), ("absent", False), ("uncertain", False), ("uncertain", True), ("present", False)
)  # fmt: skip
"""What a report says of a label, from the weakest: the status, and whether a doubtful one leans to yes."""


@cache
def _values(policy: Policy) -> tuple[Status | None, ...]:
    """A label's value under a policy, by the strength with which it is stated."""
    return tuple(decide(status, policy, leans=leans) for status, leans in _STRENGTHS)


@lru_cache(maxsize=_SENTENCES)
def _sentence_labels(sentence: str, labels: str, language: str) -> tuple[tuple[str, int], ...]:
    """(label, strength) for every finding of a sentence that counts."""
    found: list[tuple[str, int]] = []
    for finding, status, leans in outline(sentence, lexicon(language)):
        found += _finding_labels(finding, status, leans, labels, language)
    return tuple(found)


@lru_cache(maxsize=_SENTENCES)
def _finding_labels(
    finding: str, status: Status, leans: bool, labels: str, language: str
) -> tuple[tuple[str, int], ...]:
    names = label_set(labels).names_of(lexicon(language).ancestors(finding))
    return tuple((name, _STRENGTH[status] + leans) for name in names)


def label_table(
    sources: Iterable[tuple[str, str | bytes]],
    labels: str = "chexpert14",
    *,
    uncertain: Policy | None = None,
    language: str = "en",
    workers: int = 1,
) -> Iterator[Row]:
    """A row per (name, text or bytes), lazily and in order; at most a few chunks wait in memory.

    `workers` processes (0: one per core). Raises ConfigurationError for an unknown label set, policy or language.
    """
    label_set(labels)
    if language != AUTO:
        lexicon(language)
    yield from in_order(partial(_rows, labels=labels, uncertain=uncertain, language=language), sources, workers=workers)


def in_order(
    work: Callable[[list[Item]], list[Answer]], items: Iterable[Item], *, workers: int = 1
) -> Iterator[Answer]:
    """`work` of chunks of `items`, lazily and in order, in `workers` processes (0: one per core).

    A bounded number of chunks is under way, so that an archive need not fit into memory; what fits into one chunk is
    done here. `work` must be a module's function or a partial of one.
    """
    stream = iter(items)
    chunks = iter(lambda: list(islice(stream, CHUNK)), [])
    begun = list(islice(chunks, 2))
    count = workers or free_cores()
    if count == 1 or len(begun) < 2:
        for chunk in chain(begun, chunks):
            yield from work(chunk)
        return
    waiting: deque[Future[list[Answer]]] = deque()
    # A fork of a process with threads may deadlock.
    with ProcessPoolExecutor(count, get_context("spawn")) as pool:
        for chunk in chain(begun, chunks):
            waiting.append(pool.submit(work, chunk))
            if len(waiting) > 2 * count:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _rows(chunk: list[tuple[str, str | bytes]], *, labels: str, uncertain: Policy | None, language: str) -> list[Row]:
    rows = []
    for name, content in chunk:
        try:
            text = content if isinstance(content, str) else decode_report(content, name)
            rows.append(Row(name, label_values(text, labels, uncertain=uncertain, language=language)))
        except GroundglassError as error:
            rows.append(Row(name, {}, str(error)))
    return rows
