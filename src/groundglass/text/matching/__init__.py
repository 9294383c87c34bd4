"""Reports as training text of an encoder (CXR-BERT, arXiv 2204.09817): sections that match, sentences in random order.

    from groundglass.text import matching
    pairs = list(matching.section_pairs(reports))                # findings and impression of one report each
    for batch in matching.distinct_batches(pairs, 32, rng): ...  # no text twice in a batch: a false negative
    matching.shuffled(pairs[0].findings, rng)                    # the same sentences in another order

The objective is `groundglass.learn.objectives.contrastive`, the training `groundglass.learn.section_matching`.
"""

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "SectionPair": "pairs",
    "distinct_batches": "pairs",
    "sampled": "sampling",
    "section_pairs": "pairs",
    "shuffled": "sampling",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
