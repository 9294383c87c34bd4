"""How far the words of a text overlap with those of a reference: BLEU, ROUGE, METEOR, CIDEr, BERTScore.

Each score says how words are made, because that alone moves a score by points: compare figures of one kind only.
"""

from __future__ import annotations

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "BertBaseline": "bertscore",
    "BertScore": "bertscore",
    "BertScorer": "bertscore",
    "Bleu": "bleu",
    "Cider": "consensus",
    "CocoBleu": "bleu",
    "CocoScores": "coco",
    "Meteor": "alignment",
    "Rouge": "rouge_n_l",
    "cider": "consensus",
    "cider_d": "consensus",
    "coco_bleu": "bleu",
    "coco_rouge_l": "rouge_n_l",
    "coco_scores": "coco",
    "coco_text": "ptb",
    "copied_share": "diversity",
    "distinct": "diversity",
    "meteor": "alignment",
    "meteor_of_jar": "meteor_jar",
    "ptb_tokens": "ptb",
    "rouge": "rouge_n_l",
    "rouge_stems": "rouge_n_l",
    "rouge_words": "rouge_n_l",
    "sacre_bleu": "bleu",
    "sentence_bleu": "bleu",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
