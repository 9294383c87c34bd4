"""Corruptions of pictures as each modality fails, in graded severities (MedMNIST-C), for tests and for training."""

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "Corruption": "apply",
    "CorruptionSet": "table",
    "DETERMINISTIC": "apply",
    "KINDS": "apply",
    "LEVELS": "table",
    "TargetedAugmentation": "augment",
    "augmix": "generic",
    "corrupt": "apply",
    "corrupt_set": "apply",
    "corruption_groups": "table",
    "corruption_set": "table",
    "corruption_sets": "table",
    "group_of": "table",
    "trivial_augment": "generic",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
