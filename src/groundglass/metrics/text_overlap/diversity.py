"""How varied generated texts are, and how many of them were learnt by heart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from groundglass.core.errors import InputError
from groundglass.metrics.text_overlap.ngrams import count_ngrams
from groundglass.metrics.text_overlap.ptb import coco_text


def distinct(texts: Sequence[str], order: int, *, tokenise: Callable[[str], str] = coco_text) -> float:
    """distinct-n: different n-grams of all texts over their number (J. Li et al., NAACL 2016); NaN without n-grams.

    It falls as there are more texts: compare sets of one size. Raises InputError when `order` is below 1.
    """
    if order < 1:
        raise InputError("order", f"is {order}", "Give the n of the n-grams, at least 1.")
    table = count_ngrams([tokenise(text).split() for text in texts], order)[-1]
    total = int(table.total.sum())
    return len(set(table.gram.tolist())) / total if total else float("nan")


def copied_share(texts: Sequence[str], training: Iterable[str], *, tokenise: Callable[[str], str] = coco_text) -> float:
    """Share of the texts that equal a training text, word by word, after tokenisation; NaN without texts."""
    known = {tokenise(text) for text in training}
    return sum(tokenise(text) in known for text in texts) / len(texts) if texts else float("nan")
