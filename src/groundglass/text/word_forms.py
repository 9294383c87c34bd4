"""Forms of a phrase that mean the same: plurals, spellings, verbs before "not", slips of the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

MIN_LETTERS_OF_A_SLIP = {"finding": 6, "device": 8, "anatomy": 8}
_SPELLINGS = (
    ("oedema", "edema"), ("haemo", "hemo"), ("haema", "hema"), ("oesoph", "esoph"), ("tumour", "tumor"),
    ("calibre", "caliber"), ("ischaem", "ischem"), ("goitre", "goiter"), ("anaem", "anem"), ("orthopaed", "orthoped"),
    ("artefact", "artifact"), ("sulph", "sulf"), ("dyspnoea", "dyspnea"), ("aluminium", "aluminum"),
)  # fmt: skip


def concept_forms(language: str) -> Callable[[str], Iterator[str]]:
    """What makes the forms of a finding, device or anatomy in this language."""
    return {"en": _english, "it": _italian}.get(language, _only)


def cue_forms(language: str) -> Callable[[str], Iterator[str]]:
    """What makes the forms of a word of the grammar in this language."""
    return _with_auxiliary if language == "en" else _only


def _only(phrase: str) -> Iterator[str]:
    yield phrase


def _with_auxiliary(phrase: str) -> Iterator[str]:
    """ "Not seen" is also "is not seen", ...: else the shorter "is not" would win."""
    yield phrase
    if phrase.startswith(("not ", "no longer ")):
        for verb in ("is", "are", "was", "were"):
            yield f"{verb} {phrase}"


def _english(phrase: str) -> Iterator[str]:
    """The phrase, its plural, and both in the other spelling."""
    for form in (phrase, _plural(phrase)):
        yield form
        for british, american in _SPELLINGS:
            if british in form:
                yield form.replace(british, american)
            elif american in form:
                yield form.replace(american, british)


def _plural(phrase: str) -> str:
    if phrase.endswith(("s", "ae", "media")):
        return phrase[:-2] + "es" if phrase.endswith(("sis", "xis")) else phrase
    if phrase.endswith("y") and phrase[-2:-1] not in "aeiou":
        return phrase[:-1] + "ies"
    if phrase.endswith(("x", "ch", "sh")):
        return phrase + "es"
    return phrase + "s"


def _italian(phrase: str) -> Iterator[str]:
    """The phrase and its plural: every noun and adjective of it changes its last vowel."""
    yield phrase
    yield " ".join(_italian_plural(word) for word in phrase.split())


def _italian_plural(word: str) -> str:
    if len(word) < 4 or word in ("della", "delle", "dello", "degli", "vetro", "smerigliato", "sulla", "alla"):
        return word
    for singular, plural in (("io", "i"), ("co", "ci"), ("go", "ghi"), ("ca", "che"), ("ga", "ghe")):
        if word.endswith(singular):
            return word[: -len(singular)] + plural
    return word[:-1] + {"o": "i", "a": "e", "e": "i"}.get(word[-1], word[-1])


def slips(roles: Mapping[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Phrases with one slip in a long word: a letter left out, doubled, swapped with the next, or another vowel."""
    words = {word for phrase in roles for word in phrase.split()}
    for phrase, known in list(roles.items()):
        kind = next((kind for kind in MIN_LETTERS_OF_A_SLIP if kind in known), None)
        parts = phrase.split()
        if kind is None or len(parts) > 2:
            continue
        for position, word in enumerate(parts):
            # "Pleural efusion" is read as "pleural" and "efusion": a word that stands for itself needs no phrases.
            if len(word) >= MIN_LETTERS_OF_A_SLIP[kind] and (len(parts) == 1 or word not in roles):
                for variant in _misspelt(word) - words:
                    yield " ".join((*parts[:position], variant, *parts[position + 1 :])), known


@cache
def _misspelt(word: str) -> frozenset[str]:
    found = set()
    for i in range(1, len(word)):
        found.add(word[:i] + word[i + 1 :])
        found.add(word[:i] + word[i] + word[i:])
        if i + 1 < len(word):
            found.add(word[:i] + word[i + 1] + word[i] + word[i + 2 :])
        if word[i] in "aeiouy":
            found.update(word[:i] + vowel + word[i + 1 :] for vowel in "aeiouy")
        if len(word) >= 10:
            found.update(word[:i] + vowel + word[i:] for vowel in "aeiou")
    return frozenset(found - {word})
