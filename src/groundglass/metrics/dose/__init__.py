"""Radiotherapy dose: dose-volume figures, gamma pass rate, and the dose scores of SynthRAD.

Doses are arrays in Gy (any one unit will do), masks of the same shape say which voxels are in a structure; all voxels
count alike. The gamma index is pymedphys's, an optional part (`pip install groundglass[dose]`).
"""

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "conformity_number": "volume_histogram",
    "cumulative_histogram": "volume_histogram",
    "dose_at_volume": "volume_histogram",
    "dose_at_volume_ml": "volume_histogram",
    "dose_error_in_target": "synthrad",
    "gamma_index": "gamma",
    "gamma_pass_rate": "gamma",
    "mean_dose": "volume_histogram",
    "organs_at_risk": "synthrad",
    "synthrad_dvh": "synthrad",
    "volume_at_dose": "volume_histogram",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
