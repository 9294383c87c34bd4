"""Assertion on the challenge corpus, beside NegEx (negspacy) and ConText (medspacy) where they are installed.

    python benchmarks/text_assertion.py

Every peer, with its published triggers, is given the marked words as its entities, so that only assertion is compared.
"six classes" needs the exact class; "absent or not" is the one question that NegEx answers, over all targets; "clear
cases" are the targets whose class is present or absent. "held back" sentences were written after our rules were fitted
to the others; what the rules said of them at first sight stands at the head of the corpus file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "text"))

from assertion_corpus import Target, corpus, decided

Reader = Callable[[Target], set[str]]


def _entities(pipe: Callable[[str], object], target: Target) -> list[object]:
    start = target.sentence.index(target.words)
    document = pipe(target.sentence)
    return [e for e in document.ents if e.start_char < start + len(target.words) and e.end_char > start]  # type: ignore[attr-defined]


def with_negex(targets: list[Target]) -> Reader:
    import spacy
    from negspacy.negation import Negex  # noqa: F401 (registers the pipe)

    pipe = spacy.blank("en")
    pipe.add_pipe("sentencizer")
    pipe.add_pipe("entity_ruler").add_patterns(
        [{"label": "X", "pattern": w} for w in sorted({t.words for t in targets})]
    )
    pipe.add_pipe("negex", config={"ent_types": ["X"]})
    return lambda target: {"absent" if e._.negex else "present" for e in _entities(pipe, target)}  # type: ignore[attr-defined]


def with_context(targets: list[Target]) -> Reader:
    import medspacy
    from loguru import logger
    from medspacy.ner import TargetRule

    logger.remove()
    pipe = medspacy.load()
    rules = [TargetRule(words, "X") for words in sorted({t.words for t in targets})]
    pipe.get_pipe("medspacy_target_matcher").add(rules)
    order = ("is_family", "is_negated", "is_hypothetical", "is_historical", "is_uncertain")
    names = ("other person", "absent", "hypothetical", "historical", "uncertain")

    def said(entity: object) -> str:
        known = entity._  # type: ignore[attr-defined]
        return next((name for flag, name in zip(order, names, strict=True) if getattr(known, flag)), "present")

    return lambda target: {said(entity) for entity in _entities(pipe, target)}


def figures(targets: list[Target], reader: Reader) -> dict[str, float]:
    said = [reader(target) for target in targets]
    pairs = list(zip(targets, said, strict=True))
    clear = [(t, s) for t, s in pairs if t.expected in ("present", "absent")]
    back = [(t, s) for t, s in pairs if t.category == "held back"]

    def share(rows: list[tuple[Target, set[str]]]) -> float:
        return round(sum(s == {t.expected} for t, s in rows) / len(rows), 4)

    return {
        "six classes": share(pairs),
        "absent or not": round(sum(("absent" in s) == (t.expected == "absent") for t, s in pairs) / len(pairs), 4),
        "clear cases": share(clear),
        "held back": share(back),
    }


def main() -> None:
    targets = corpus()
    found: dict[str, object] = {
        "sentences": len({t.sentence for t in targets}),
        "targets": len(targets),
        "groundglass": figures(targets, decided),
    }
    for name, build in (("NegEx (negspacy)", with_negex), ("ConText (medspacy)", with_context)):
        try:
            reader = build(targets)
        except ImportError:
            continue
        found[name] = figures(targets, reader)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
