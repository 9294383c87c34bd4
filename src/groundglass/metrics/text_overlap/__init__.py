"""How far the words of a text overlap with those of a reference: BLEU, ROUGE, METEOR, CIDEr, BERTScore.

Each score says how words are made, because that alone moves a score by points: compare figures of one kind only.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from groundglass.metrics.text_overlap.bertscore import BertBaseline, BertScore, BertScorer
    from groundglass.metrics.text_overlap.bleu import Bleu, CocoBleu, coco_bleu, sacre_bleu, sentence_bleu
    from groundglass.metrics.text_overlap.cider import Cider, cider, cider_d
    from groundglass.metrics.text_overlap.coco import CocoScores, coco_scores
    from groundglass.metrics.text_overlap.diversity import copied_share, distinct
    from groundglass.metrics.text_overlap.meteor import Meteor, meteor
    from groundglass.metrics.text_overlap.ptb import coco_text, ptb_tokens
    from groundglass.metrics.text_overlap.rouge import Rouge, coco_rouge_l, rouge, rouge_stems, rouge_words

_HOME = {
    "BertBaseline": "bertscore",
    "BertScore": "bertscore",
    "BertScorer": "bertscore",
    "Bleu": "bleu",
    "Cider": "cider",
    "CocoBleu": "bleu",
    "CocoScores": "coco",
    "Meteor": "meteor",
    "Rouge": "rouge",
    "cider": "cider",
    "cider_d": "cider",
    "coco_bleu": "bleu",
    "coco_rouge_l": "rouge",
    "coco_scores": "coco",
    "coco_text": "ptb",
    "copied_share": "diversity",
    "distinct": "diversity",
    "meteor": "meteor",
    "ptb_tokens": "ptb",
    "rouge": "rouge",
    "rouge_stems": "rouge",
    "rouge_words": "rouge",
    "sacre_bleu": "bleu",
    "sentence_bleu": "bleu",
}

__all__ = [
    "BertBaseline",
    "BertScore",
    "BertScorer",
    "Bleu",
    "Cider",
    "CocoBleu",
    "CocoScores",
    "Meteor",
    "Rouge",
    "cider",
    "cider_d",
    "coco_bleu",
    "coco_rouge_l",
    "coco_scores",
    "coco_text",
    "copied_share",
    "distinct",
    "meteor",
    "ptb_tokens",
    "rouge",
    "rouge_stems",
    "rouge_words",
    "sacre_bleu",
    "sentence_bleu",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__} has no attribute {name}")
