"""NegBio's patterns on sentences: `python negbio_patterns.py INPUT.json OUTPUT.json`.

Needs NegBio (its folder on the path), networkx, ply, spaCy and the model en_core_web_sm. INPUT: a list of `text` and
`spans` (label -> [start, end]). OUTPUT: for each the labels that no pattern of negation or uncertainty hits. NegBio's
own parser (BLLIP with a biomedical model, Stanford's converter) cannot be had: spaCy's parse is turned into the
dependencies that the patterns name (`nmod:of`, `neg`, `conj:and` with the conjunct's own links).
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import networkx
import spacy

# NegBio was written for networkx 1, where `graph.node` is what `graph.nodes` is today.
networkx.Graph.node = property(lambda self: self.nodes)

import negbio.neg  # noqa: E402
from negbio.neg.neg_detector import Detector  # noqa: E402

parse = spacy.load("en_core_web_sm")
folder = Path(negbio.neg.__file__).parents[1] / "patterns"
detector = Detector(str(folder / "neg_patterns.txt"), str(folder / "uncertainty_patterns.txt"))


def links(doc):  # type: ignore[no-untyped-def]
    """(governor, dependant, name) as Stanford's converter has them."""
    found = set()
    for token in doc:
        name, head = token.dep_, token.head
        if name == "ROOT" or name == "prep":
            continue
        if name in ("pobj", "pcomp") and head.dep_ in ("prep", "agent"):
            found.add((head.head.i, token.i, f"nmod:{head.lower_}"))
            found.add((token.i, head.i, "case"))
        elif name == "conj":
            found.add((first_of(token).i, token.i, f"conj:{word_between(token)}"))
        elif name == "neg" or (name == "det" and token.lower_ == "no"):
            found.add((head.i, token.i, "neg"))
        elif name == "attr" and any(child.dep_ == "expl" for child in head.children):
            found.add((head.i, token.i, "nsubj"))
        else:
            found.add((head.i, token.i, name))
    return found | shared(doc, found)


def first_of(token):  # type: ignore[no-untyped-def]
    """The head of a list: spaCy hangs each item on the one before it, Stanford's converter all on the first."""
    while token.dep_ == "conj":
        token = token.head
    return token


def word_between(token):  # type: ignore[no-untyped-def]
    """What joins an item to its list: the "and" or "or" before it, else the next one further on ("a, b, or c")."""
    later = token
    while later is not None:
        marks = [child.lower_ for child in later.head.children if child.dep_ == "cc"]
        if marks:
            return marks[0]
        later = next((child for child in later.children if child.dep_ == "conj"), None)
    return "and"


def shared(doc, found):  # type: ignore[no-untyped-def]
    """What governs the first of a list governs the others, too."""
    more = set()
    for token in doc:
        first = first_of(token)
        if first is not token:
            more |= {(g, token.i, name) for g, d, name in found if d == first.i and not name.startswith("conj")}
            more |= {(token.i, d, name) for g, d, name in found if g == first.i and name == "case"}
    return more


def sentence_of(text):  # type: ignore[no-untyped-def]
    """The sentence as NegBio's collections hold it."""
    doc = parse(text)
    places = [SimpleNamespace(offset=token.idx, length=len(token)) for token in doc]
    annotations = [
        SimpleNamespace(
            id=f"T{token.i}",
            text=token.text,
            infons={"tag": token.tag_, "lemma": token.lemma_},
            get_total_location=lambda place=place: place,
        )
        for token, place in zip(doc, places, strict=True)
    ]
    relations = [
        SimpleNamespace(
            id=f"R{number}",
            infons={"dependency": name},
            nodes=[
                SimpleNamespace(role="governor", refid=f"T{governor}"),
                SimpleNamespace(role="dependant", refid=f"T{dependant}"),
            ],
        )
        for number, (governor, dependant, name) in enumerate(sorted(links(doc)))
    ]
    return SimpleNamespace(annotations=annotations, relations=relations, offset=0)


made = []
for case in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
    sentence, spans = sentence_of(case["text"]), {tuple(span): name for name, span in case["spans"].items()}
    hit = {spans[tuple(place)] for _, _, place in detector.detect(sentence, list(spans))}
    made.append(sorted(set(spans.values()) - hit))
Path(sys.argv[2]).write_text(json.dumps(made), encoding="utf-8")
