"""Label extraction against human labels: openi-reports (MeSH of trained coders) and ct-report-findings (18 labels).

    python benchmarks/report_labels.py DATA [--split val] [--baseline]

Prints JSON: precision, recall and F1 per label, micro and macro, and the share of coded labels that no sentence of the
report names in any way (status aside): what no reader of the text could find with this lexicon. `--baseline` adds a
bag-of-words logistic regression trained on the train split in the same run (needs scikit-learn), `--peers` the rule
pipelines of negspacy and medspacy (where installed) with the same terms. Rules were tuned on train and val; nothing of
the data is written anywhere.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from groundglass.text import LabelSet, label, label_set, read_label_set, read_report

MESH = Path(__file__).parents[1] / "tests" / "text" / "data" / "openi_mesh.json"
Peer = Callable[[object], bool]
_UNLABELLED = ("No Indexing", "Technical Quality of Image Unsatisfactory")


@dataclass(frozen=True)
class Case:
    """A report and, per label, whether a person gave it."""

    text: str
    truth: dict[str, bool]


def openi(data: Path, split: str) -> tuple[LabelSet, list[Case]]:
    """Findings and impression of the reports that the coders could index, with the grouped MeSH headings."""
    mapping = json.loads(MESH.read_text(encoding="utf-8"))
    folder = data / "openi-reports"
    with (folder / "splits.csv").open(encoding="utf-8") as file:
        wanted = {row["file"] for row in csv.DictReader(file) if row["split"] == split}
    patterns = {name: [re.compile(p) for p in found] for name, found in mapping["coder"].items()}
    cases = []
    with tarfile.open(folder / "ecgen-radiology-xml.tar.gz") as archive:
        for member in archive:
            if Path(member.name).name not in wanted:
                continue
            handle = archive.extractfile(member)
            assert handle is not None
            root = ElementTree.parse(handle).getroot()
            headings = [m.text or "" for m in root.iter("major")]
            if any(h.startswith(_UNLABELLED) for h in headings):
                continue
            parts = {a.get("Label"): a.text for a in root.iter("AbstractText")}
            text = "\n".join(f"{n}: {parts[n]}" for n in ("FINDINGS", "IMPRESSION") if parts.get(n))
            truth = {n: any(p.search(h) for p in found for h in headings) for n, found in patterns.items()}
            cases.append(Case(text, truth))
    return read_label_set(mapping), cases


def ct(data: Path, split: str) -> tuple[LabelSet, list[Case]]:
    """Chest CT reports with the 18 labels of CT-RATE."""
    rows = map(json.loads, (data / "ct-report-findings" / "reports.jsonl").read_text(encoding="utf-8").splitlines())
    return label_set("ctrate18"), [
        Case(row["text"], {name: bool(value) for name, value in row["labels"].items()})
        for row in rows
        if row["split"] == split
    ]


def by_rules(chosen: LabelSet, cases: Sequence[Case]) -> list[dict[str, bool]]:
    """What `groundglass.text.label` says."""
    return [{n: v.value == "present" for n, v in label(case.text, chosen).items()} for case in cases]


def by_words(train: Sequence[Case], test: Sequence[Case], names: Sequence[str]) -> list[dict[str, bool]]:
    """Bag of words and word pairs, one logistic regression per label."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    bag = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    known, unknown = bag.fit_transform([c.text for c in train]), bag.transform([c.text for c in test])
    found = [dict.fromkeys(names, False) for _ in test]
    for name in names:
        targets = [c.truth[name] for c in train]
        if len(set(targets)) < 2:
            continue
        model = LogisticRegression(C=30, max_iter=1000, class_weight="balanced").fit(known, targets)
        for row, said in zip(found, model.predict(unknown), strict=True):
            row[name] = bool(said)
    return found


def by_peer(
    pipe: Callable[[str], object], kept: Peer, chosen: LabelSet, cases: Sequence[Case]
) -> list[dict[str, bool]]:
    """A rule pipeline of spaCy with our ontology's words as its terms (label = the term's name) and our label rules."""
    found = []
    for case in cases:
        said = dict.fromkeys(case.truth, False)
        for entity in pipe(case.text).ents:  # type: ignore[attr-defined]
            if kept(entity):
                for name in chosen.names_of(_lineage(entity.label_)):
                    said[name] = True
        found.append(said)
    return found


def terms() -> list[tuple[str, str]]:
    """(words, term) of every finding and device of the ontology: names, synonyms and their plain plurals."""
    from groundglass.core import ontology

    found: dict[str, str] = {}
    for entry in ontology():
        if entry.kind in ("finding", "device"):
            for word in (entry.term.name, *entry.synonyms.get("en", ())):
                for form in (word, f"{word}s"):
                    found.setdefault(form.lower(), entry.term.name)
    return list(found.items())


def negspacy() -> tuple[Callable[[str], object], Peer]:
    import spacy
    from negspacy.negation import Negex  # noqa: F401 (registers the pipe)

    pipe = spacy.blank("en")
    pipe.add_pipe("sentencizer")
    ruler = pipe.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LOWER"})
    ruler.add_patterns([{"label": name, "pattern": word} for word, name in terms()])
    pipe.add_pipe("negex")
    return pipe, lambda entity: not entity._.negex  # type: ignore[attr-defined]


def medspacy() -> tuple[Callable[[str], object], Peer]:
    import medspacy as package
    from loguru import logger
    from medspacy.ner import TargetRule

    logger.remove()
    pipe = package.load()
    pipe.get_pipe("medspacy_target_matcher").add([TargetRule(word, name) for word, name in terms()])
    flags = ("is_negated", "is_uncertain", "is_historical", "is_hypothetical", "is_family")
    return pipe, lambda entity: not any(getattr(entity._, flag) for flag in flags)  # type: ignore[attr-defined]


def scores(cases: Sequence[Case], said: Sequence[dict[str, bool]]) -> dict[str, object]:
    """Counts and F1 per label; micro over all; macro over the labels that occur."""
    table: dict[str, dict[str, float]] = {}
    sums = [0, 0, 0]
    for name in cases[0].truth:
        hit = sum(c.truth[name] and s[name] for c, s in zip(cases, said, strict=True))
        false = sum(not c.truth[name] and s[name] for c, s in zip(cases, said, strict=True))
        missed = sum(c.truth[name] and not s[name] for c, s in zip(cases, said, strict=True))
        sums = [a + b for a, b in zip(sums, (hit, false, missed), strict=True)]
        f1 = 2 * hit / (2 * hit + false + missed) if hit + false + missed else float("nan")
        table[name] = {"n": hit + missed, "true": hit, "false": false, "missed": missed, "f1": round(f1, 4)}
    occurring = [row["f1"] for row in table.values() if row["n"]]
    hit, false, missed = sums
    return {
        "micro_f1": round(2 * hit / (2 * hit + false + missed), 4),
        "macro_f1": round(sum(occurring) / len(occurring), 4),
        "precision": round(hit / (hit + false), 4),
        "recall": round(hit / (hit + missed), 4),
        "labels": table,
    }


def unnamed(chosen: LabelSet, cases: Sequence[Case]) -> float:
    """Share of given labels whose concept no sentence of the report names, be it present, absent or doubtful."""
    given = silent = 0
    for case in cases:
        lineages = {_lineage(f.what.name) for f in read_report(case.text).findings}
        for name, holds in case.truth.items():
            if holds:
                given += 1
                silent += not any(chosen.rules[name].holds(lineage) for lineage in lineages)
    return round(silent / given, 4)


def _lineage(name: str) -> tuple[str, ...]:
    from groundglass.core import ontology

    return (name, *(t.name for t in ontology().ancestors(name)))


Loader = Callable[[Path, str], tuple[LabelSet, list[Case]]]
SETS: dict[str, Loader] = {"openi-reports": openi, "ct-report-findings": ct}


def evaluate(
    data: Path, name: str, split: str, *, with_baseline: bool = False, with_peers: bool = False
) -> dict[str, object]:
    """The figures of one set and split."""
    chosen, cases = SETS[name](data, split)
    result = {"reports": len(cases), "unnamed": unnamed(chosen, cases), **scores(cases, by_rules(chosen, cases))}
    if with_baseline:
        _, train = SETS[name](data, "train")
        words = scores(cases, by_words(train, cases, list(cases[0].truth)))
        result["bag of words"] = {key: words[key] for key in ("micro_f1", "macro_f1")}
    for build in (negspacy, medspacy) if with_peers else ():
        try:
            pipe, kept = build()
        except ImportError:
            continue
        theirs = scores(cases, by_peer(pipe, kept, chosen, cases))
        result[build.__name__] = {key: theirs[key] for key in ("micro_f1", "macro_f1")}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="val", choices=("train", "val", "test"))
    parser.add_argument("--baseline", action="store_true")
    parser.add_argument("--peers", action="store_true")
    arguments = parser.parse_args()
    options = {"with_baseline": arguments.baseline, "with_peers": arguments.peers}
    found = {name: evaluate(arguments.data, name, arguments.split, **options) for name in SETS}
    print(json.dumps({"split": arguments.split, **found}, indent=1))


if __name__ == "__main__":
    main()
