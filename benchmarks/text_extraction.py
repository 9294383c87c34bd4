"""Reports per second on one core: findings with evidence, labels only, and the peers that are installed.

    python benchmarks/text_extraction.py [--reports 2000] [--stream 1000000]

Generated reports of about 100 words. "sentences new" empties the memory of sentences before every report, so that every
sentence is read from scratch; "archive" keeps it, over reports whose sentences come again as in an archive (the share
is printed). Peers (medspacy, spaCy with negspacy) run on the same texts where they can be imported: they find the terms
and negate them, nothing more. `--stream N` labels N generated reports and prints the peak memory.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import time
from collections.abc import Callable, Iterator, Sequence

from groundglass.text import label_table, read_report
from groundglass.text.reading import remembered

FINDINGS = (
    "pleural effusion", "pneumothorax", "consolidation", "atelectasis", "pulmonary edema", "nodule", "mass",
    "emphysema", "scarring", "bronchiectasis", "ground-glass opacity", "lymphadenopathy", "pleural thickening",
    "hiatal hernia",
)  # fmt: skip
PLACES = ("right upper lobe", "right middle lobe", "right lower lobe", "left upper lobe", "lingula", "left lower lobe")
SIZES = ("small", "mild", "moderate", "large", "minimal", "severe")
CHANGES = ("unchanged", "increased since the prior study", "decreased", "new", "stable")
COMMON = (
    "No pleural effusion or pneumothorax.",
    "Heart size is within normal limits.",
    "The mediastinal contours are unremarkable.",
    "No acute osseous abnormality.",
    "The lungs are clear.",
)


def report(dice: random.Random, repeated: float) -> str:
    """About 100 words; a share of the sentences comes from the common stock."""
    said = ["FINDINGS:"]
    while sum(len(s.split()) for s in said) < 100:
        said.append(dice.choice(COMMON) if dice.random() < repeated else sentence(dice))
    return " ".join(said)


def sentence(dice: random.Random) -> str:
    a, b, c = dice.sample(FINDINGS, 3)
    place, size, change = dice.choice(PLACES), dice.choice(SIZES), dice.choice(CHANGES)
    number = dice.randint(2, 60)
    return dice.choice(
        (
            f"There is a {size} {a} in the {place}, {change}, measuring {number} mm.",
            f"No evidence of {a}, {b}, or {c} in the {place}.",
            f"{size.capitalize()} {a} with adjacent {b} in the {place}, image {number}.",
            f"Opacity in the {place} may represent {a} or {b}, {number} x {number + 3} mm.",
            f"Status post drainage, the {a} in the {place} has decreased from {number} mm but the {b} persists.",
            f"The {place} shows {a} without {b}, and {c} is not identified on image {number}.",
        )
    )


def per_second(work: Callable[[str], object], texts: Sequence[str]) -> float:
    start = time.process_time()
    for text in texts:
        work(text)
    return round(len(texts) / (time.process_time() - start), 1)


def from_scratch(text: str) -> None:
    remembered.cache_clear()
    read_report(text)


def labels_only(texts: Sequence[str]) -> float:
    start = time.process_time()
    for row in label_table(("", text) for text in texts):
        assert not row.error
    return round(len(texts) / (time.process_time() - start), 1)


def with_negspacy() -> Callable[[str], object]:
    import spacy
    from negspacy.negation import Negex  # noqa: F401 (registers the pipe)

    pipe = spacy.blank("en")
    pipe.add_pipe("sentencizer")
    pipe.add_pipe("entity_ruler").add_patterns([{"label": "FINDING", "pattern": name} for name in FINDINGS])
    pipe.add_pipe("negex", config={"ent_types": ["FINDING"]})
    return pipe


def with_medspacy() -> Callable[[str], object]:
    import medspacy
    from loguru import logger
    from medspacy.ner import TargetRule

    logger.remove()
    pipe = medspacy.load()
    pipe.get_pipe("medspacy_target_matcher").add([TargetRule(name, "FINDING") for name in FINDINGS])
    return pipe


def stream(count: int) -> dict[str, float]:
    """Labels of `count` reports that are made on the fly; MiB at the peak of this process."""
    dice = random.Random(2)

    def made() -> Iterator[tuple[str, str]]:
        for number in range(count):
            yield str(number), report(dice, 0.7)

    start = time.process_time()
    rows = sum(1 for _ in label_table(made()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"reports": rows, "seconds with generation": round(time.process_time() - start, 1), "peak MiB": round(peak)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=2000)
    parser.add_argument("--stream", type=int, default=0)
    arguments = parser.parse_args()
    dice = random.Random(1)
    new = [report(dice, 0.0) for _ in range(arguments.reports)]
    archive = [report(dice, 0.7) for _ in range(arguments.reports)]
    read_report(new[0])
    found: dict[str, object] = {
        "words per report": sum(len(t.split()) for t in new) / len(new),
        "findings per report": sum(len(read_report(t).findings) for t in new[:200]) / 200,
        "sentences new, reports/s": per_second(from_scratch, new),
    }
    remembered.cache_clear()
    found["archive, reports/s"] = per_second(read_report, archive)
    told = remembered.cache_info()
    found["archive, share of sentences seen before"] = round(told.hits / (told.hits + told.misses), 3)
    found["labels only, new sentences, reports/s"] = labels_only(new)
    found["labels only, archive, reports/s"] = labels_only(archive)
    for name, build in (("negspacy", with_negspacy), ("medspacy", with_medspacy)):
        try:
            pipe = build()
        except ImportError:
            continue
        found[f"{name}, reports/s"] = per_second(pipe, new[:100])
    if arguments.stream:
        found["stream"] = stream(arguments.stream)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
