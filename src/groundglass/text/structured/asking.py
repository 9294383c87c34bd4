"""Generative question answering with any model: a prompt per item and batch, and the samples to train one on.

A model is a callable: prompt -> answer, or -> (answer, probability). Its answer is in the item's own format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from groundglass.text.structured.answer import NOT_REPORTED, Answer, parse_answer
from groundglass.text.structured.combination import combine
from groundglass.text.structured.cutting import Batch, Counter, batches, words
from groundglass.text.structured.form import Form, is_asked
from groundglass.text.structured.registry import Item, Template

Model = Callable[[str], "str | tuple[str, float]"]
Cutter = Callable[..., "tuple[Batch, ...]"]

_PROMPTS = {"it": "domanda: {question} contesto: ", "en": "question: {question} context: "}


class Sample(NamedTuple):
    """A prompt with the answer that a model shall learn; `item` is the item's id."""

    prompt: str
    target: str
    item: str


def ask(
    template: Template,
    text: str,
    model: Model,
    *,
    language: str = "en",
    limit: int = 512,
    count: Counter = words,
    cut: Cutter = batches,
) -> Form:
    """The form as the model fills it: every batch is asked every item whose parent lets it be asked.

    `cut` makes the batches: `batches` (batch-truncation) or `first_batch` (plain truncation).
    """
    answers: dict[str, Answer] = {}
    for item in template:
        if is_asked(item, answers):
            head = _head(item, language)
            pieces = cut(text, head, limit=limit, count=count)
            answers[item.id] = combine(item, [_answer(item, piece, model, head, language) for piece in pieces])
    return Form(template, answers)


def training_samples(
    form: Form,
    text: str,
    *,
    language: str = "en",
    limit: int = 512,
    count: Counter = words,
) -> Iterator[Sample]:
    """Samples of an annotated report: the batch with an answer's sentence gets the answer, all others "not reported".

    An answer without a span is looked for by its raw words; where they are not found the item gives no sample, for it
    is not known which batch holds it.
    """
    for item, answer in form:
        if not is_asked(item, form.answers):
            continue
        head = _head(item, language)
        pieces = batches(text, head, limit=limit, count=count)
        span = answer.span or _found(text, answer.raw or answer.value)
        if answer.value and span is None:
            continue
        for piece in pieces:
            holds = bool(answer.value) and span is not None and piece.start < span[1] and span[0] < piece.end
            yield Sample(head + piece.text, answer.value if holds else NOT_REPORTED, item.id)


def _head(item: Item, language: str) -> str:
    return _PROMPTS.get(language, _PROMPTS["en"]).format(question=item.asked(language))


def _answer(item: Item, piece: Batch, model: Model, head: str, language: str) -> Answer:
    said = model(head + piece.text)
    raw, p = (said, None) if isinstance(said, str) else said
    return parse_answer(item, raw, p=p, span=(piece.start, piece.end), language=language)


def _found(text: str, words_: str) -> tuple[int, int] | None:
    start = text.casefold().find(words_.casefold()) if words_ else -1
    return (start, start + len(words_)) if start >= 0 else None
