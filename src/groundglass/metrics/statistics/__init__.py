"""Intervals and tests: what stands behind every figure of a table.

The patient is the unit: resampling draws patients with all their cases, tests compare patients.
"""

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "Interval": "bootstrap",
    "PairedComparison": "paired",
    "Proportion": "proportion",
    "Row": "summary",
    "Summary": "summary",
    "auroc_replicates": "auroc_bootstrap",
    "bootstrap_auroc": "auroc_bootstrap",
    "bootstrap_auroc_difference": "auroc_bootstrap",
    "bootstrap_means": "bootstrap",
    "bootstrap_statistic": "bootstrap",
    "clopper_pearson": "proportion",
    "compare_paired": "paired",
    "corrected_resampled_t": "cross_validation",
    "draw_counts": "draws",
    "expanded_bca": "bootstrap",
    "holm": "multiple",
    "sign_flip_p": "permutation",
    "summarise": "summary",
    "wilson": "proportion",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
