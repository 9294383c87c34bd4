"""A sentence's tokens as items: one per role, cues that work both ways decided, the text after the last in an "end"."""

from __future__ import annotations

from collections.abc import Sequence

from groundglass.text.clauses import MENTIONS, MODIFIERS, Item
from groundglass.text.lexicon import Lexicon
from groundglass.text.tokens import Token, tokens

_BOTH_WAYS = frozenset(
    pair
    for kind in ("negation", "uncertainty")
    for pair in ((f"{kind} before", f"{kind} after"), (f"{kind} after", f"{kind} before"))
)


def items_of(sentence: str, words: Lexicon) -> list[Item]:
    """The roles of the sentence's phrases in order; a last item of kind "end" holds the text after them."""
    return items_from(tokens(sentence, words), sentence, words)


def items_from(found: Sequence[Token], sentence: str, words: Lexicon) -> list[Item]:
    """The same for a sentence whose tokens are known."""
    items: list[Item] = []
    last = 0
    twofold = False
    for start, end, number, gap in found:
        roles = words.meanings[number][1]
        for kind, value in roles:
            items.append(Item(kind, value, start, end, gap))
            gap = ""
        twofold = twofold or len(roles) > 1
        last = end
    items.append(Item("end", "", len(sentence), len(sentence), sentence[last:]))
    return _one_direction(_grown_or_unchanged(items)) if twofold else items


def _grown_or_unchanged(items: list[Item]) -> list[Item]:
    """ "No enlargement of the heart" denies that it is enlarged, "no enlargement of the nodule" that it has changed."""
    for index in range(len(items) - 2, 1, -1):
        first, quality = items[index - 2], items[index]
        if quality.kind == "quality" and first.kind == "pseudo-negation" and first.start == quality.start:
            if _speaks_of_anatomy(items, index):
                items[index - 2 : index] = [first._replace(kind="negation before")]
            else:
                del items[index]
    return items


def _speaks_of_anatomy(items: list[Item], index: int) -> bool:
    """Whether what follows is an organ itself ("of the heart"), not the place of a finding ("of the lung nodule")."""
    named = False
    for after in range(index + 1, len(items)):
        item = items[after]
        is_twin = item.kind == "finding" and items[after + 1].kind == "anatomy" and items[after + 1].start == item.start
        if item.kind == "anatomy" or is_twin:
            if named and "," in item.gap:
                return True
            named = True
        elif item.kind not in MODIFIERS and item.kind != "side":
            return named and item.kind not in ("finding", "device")
    return named


def _one_direction(items: list[Item]) -> list[Item]:
    """A cue that works both ways ("possible", "absent") looks ahead when a mention follows, else back."""
    for index in range(len(items) - 1, 0, -1):
        first, second = items[index - 1], items[index]
        if first.start == second.start and (first.kind, second.kind) in _BOTH_WAYS:
            before, after = sorted((first.kind, second.kind), reverse=True)
            items[index - 1] = first._replace(kind=before if _has_mention_ahead(items, index) else after)
            del items[index]
    return items


def _has_mention_ahead(items: list[Item], index: int) -> bool:
    for item in items[index + 1 :]:
        if "," in item.gap or item.kind in ("verb", "and", "stop"):
            return False
        if item.kind in MENTIONS:
            return True
    return False
