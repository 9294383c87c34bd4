"""Time of BLEU, ROUGE, CIDEr-D and METEOR on report pairs, as a ratio to the reference Python implementations.

    python benchmarks/text_overlap.py [--pairs 5000] [--pycocoevalcap FOLDER]

Peers: sacrebleu, rouge-score, NLTK and, where it is installed (or unpacked in FOLDER), pycocoevalcap, whose tokeniser
needs Java. Every figure is the first call on these texts: nothing was remembered before. Reports are synthetic, one
reference each, about 65 words long. The sum leaves out METEOR, whose NLTK form is fast enough.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

SIDES = ("right", "left", "bilateral")
SIZES = ("small", "moderate", "large", "trace", "minimal", "3 mm", "1.2 cm", "2.5 x 1.8 cm")
PLACES = ("upper lobe", "lower lobe", "lingula", "base", "apex", "hilum", "costophrenic angle", "perihilar region")
FINDINGS = ("opacity", "consolidation", "effusion", "atelectasis", "nodule", "pneumothorax", "scarring", "granuloma")
CHANGES = ("unchanged", "improved", "worse since the prior study", "new", "stable from 01/02/2020")
REST = (
    "The cardiomediastinal silhouette is within normal limits.",
    "No acute osseous abnormality, e.g. rib fracture.",
    "Endotracheal tube tip is 4 cm above the carina.",
    "Mild degenerative changes of the T7-T9 vertebrae.",
    "The patient's pacemaker leads are intact.",
    "Recommend follow-up in 3-6 months, if clinically indicated.",
)


def report(rng: random.Random) -> str:
    said = []
    for _ in range(rng.randint(4, 9)):
        if rng.random() < 0.25:
            said.append(rng.choice(REST))
        elif rng.random() < 0.35:
            said.append(f"No {rng.choice(FINDINGS)} or {rng.choice(FINDINGS)} in the {rng.choice(PLACES)}.")
        else:
            size, side, finding = rng.choice(SIZES), rng.choice(SIDES), rng.choice(FINDINGS)
            said.append(f"There is a {size} {side} {finding} in the {rng.choice(PLACES)}, {rng.choice(CHANGES)}.")
    return " ".join(said)


def redrafted(text: str, rng: random.Random) -> str:
    sentences = text.split(". ")
    rng.shuffle(sentences)
    return ". ".join([sentence for sentence in sentences if rng.random() < 0.8] or sentences[:1])


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def compared(ours: Callable[[], Any], peer: Callable[[], Any], gap: Callable[[Any, Any], float]) -> dict[str, float]:
    mine, found = timed(ours)
    theirs, expected = timed(peer)
    return {
        "seconds": round(mine, 3),
        "peer_seconds": round(theirs, 3),
        "ratio": round(theirs / mine, 1),
        "largest_difference": float(gap(found, expected)),
    }


def against_sacrebleu(said: list[str], truth: list[str]) -> dict[str, float]:
    import sacrebleu

    from groundglass.metrics.text_overlap import sacre_bleu

    return compared(
        lambda: sacre_bleu(said, truth),
        lambda: sacrebleu.corpus_bleu(said, [truth]),
        lambda a, b: abs(a.score - b.score / 100),
    )


def against_rouge_score(said: list[str], truth: list[str], *, stem: bool) -> dict[str, float]:
    from rouge_score.rouge_scorer import RougeScorer

    from groundglass.metrics.text_overlap import rouge, rouge_stems, rouge_words

    peer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=stem)
    return compared(
        lambda: rouge(said, truth, words=rouge_stems if stem else rouge_words),
        lambda: [peer.score(b, a) for a, b in zip(said, truth, strict=True)],
        lambda a, b: max(np.abs(a[k].f1 - [case[f"rouge{k}"].fmeasure for case in b]).max() for k in ("1", "2", "L")),
    )


def against_nltk_meteor(said: list[str], truth: list[str]) -> dict[str, float]:
    from nltk.translate.meteor_score import meteor_score

    from groundglass.metrics.text_overlap import coco_text, meteor

    class NoWordNet:
        def synsets(self, word: str) -> list[Any]:
            return []

    def peer() -> list[float]:
        return [
            meteor_score([coco_text(b).split()], coco_text(a).split(), wordnet=NoWordNet())
            for a, b in zip(said, truth, strict=True)
        ]

    return compared(lambda: meteor(said, truth), peer, lambda a, b: np.abs(a.cases - b).max())


def against_pycocoevalcap(said: list[str], truth: list[str]) -> dict[str, float]:
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    from groundglass.metrics.text_overlap import coco_scores

    def peer() -> tuple[Any, Any, Any]:
        with contextlib.redirect_stdout(io.StringIO()):
            words = [PTBTokenizer().tokenize({i: [{"caption": t}] for i, t in enumerate(x)}) for x in (said, truth)]
            return tuple(scorer.compute_score(words[1], words[0]) for scorer in (Bleu(4), Rouge(), Cider()))

    def gap(a: Any, b: Any) -> float:
        bleu, rouge, cider = b
        return max(
            np.abs(np.array(a.bleu.corpus) - bleu[0]).max(),
            np.abs(a.rouge_l_cases - rouge[1]).max(),
            np.abs(a.cider_d.cases - cider[1]).max(),
        )

    return compared(lambda: coco_scores(said, truth), peer, gap)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5000)
    parser.add_argument("--pycocoevalcap", help="folder that holds the package")
    chosen = parser.parse_args()
    if chosen.pycocoevalcap:
        sys.path.insert(0, chosen.pycocoevalcap)
    rng = random.Random(0)
    truth = [report(rng) for _ in range(chosen.pairs)]
    said = [redrafted(text, rng) for text in truth]
    figures: dict[str, Any] = {
        "pairs": chosen.pairs,
        "words": round(sum(len(text.split()) for text in truth) / len(truth), 1),
        "sacrebleu": against_sacrebleu(said, truth),
        "rouge_score": against_rouge_score(said, truth, stem=False),
        "rouge_score_stemmed": against_rouge_score(said, truth, stem=True),
        "nltk_meteor": against_nltk_meteor(said, truth),
    }
    try:
        figures["pycocoevalcap_with_tokeniser"] = against_pycocoevalcap(said, truth)
    except ImportError:
        figures["pycocoevalcap_with_tokeniser"] = "not installed"
    measured = [row for name, row in figures.items() if isinstance(row, dict) and name != "nltk_meteor"]
    ours = sum(row["seconds"] for row in measured)
    figures["bleu_rouge_cider"] = {
        "seconds": round(ours, 2),
        "ratio": round(sum(r["peer_seconds"] for r in measured) / ours, 1),
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
