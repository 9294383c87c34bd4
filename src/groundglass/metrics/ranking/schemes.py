"""The ranking rules of published challenges."""

from __future__ import annotations

from collections.abc import Mapping

from groundglass.core.errors import ConfigurationError
from groundglass.metrics.ranking.scheme import RankedMetric, Scheme

_UP, _DOWN = True, False

_ALL = (
    Scheme(
        "isles",
        "ISLES 2022 (arXiv 2206.06694) and ISLES 2024 (arXiv 2408.10966): rank per case and metric, averaged over "
        "metrics and cases. The order of aggregation is not stated in print.",
        (
            RankedMetric("dice", _UP, aliases=("dsc",)),
            RankedMetric("avd_ml", _DOWN, aliases=("avd",)),
            RankedMetric("lesion_count_difference", _DOWN, aliases=("ald",)),
            RankedMetric("lesion_f1", _UP, aliases=("lesion_f1_touch", "lesion_f1_iou", "f1")),
        ),
        "case ranks",
        missing="worst",
    ),
    Scheme(
        "verse",
        "VerSe (Medical Image Analysis 2021; 102166): points for significantly better pairs, labelling to segmentation "
        "and public to hidden phase as 1 to 2 (these weights are not certain: pass a Scheme of your own for others). "
        "Groups are named public and hidden; a table without groups is ranked as one phase.",
        (
            RankedMetric("identification_rate", _UP, weight=1.0, aliases=("id_rate", "id.rate")),
            RankedMetric("dice", _UP, weight=2.0, aliases=("dsc",)),
        ),
        "significance",
        missing="worst",
        alpha=0.001,
        group_weights={"public": 1.0, "hidden": 2.0, "": 1.0},
    ),
    Scheme(
        "synthrad",
        "SynthRAD2023 (arXiv 2403.08447): sum of normalised means. The official script leaves ties in the order of the "
        "table; here they share a place.",
        (
            RankedMetric("mae", _DOWN),
            RankedMetric("psnr", _UP),
            RankedMetric("ssim", _UP),
            RankedMetric("mae_target_photon", _DOWN),
            RankedMetric("mae_target_proton", _DOWN),
            RankedMetric("dvh_photon", _DOWN),
            RankedMetric("dvh_proton", _DOWN),
            RankedMetric("gamma_photon", _UP),
            RankedMetric("gamma_proton", _UP),
        ),
        "normalised means",
        optional_metrics=True,
    ),
    Scheme(
        "trackrad",
        "TrackRAD2025: mean of the ranks of six means; no more than 1 s per frame; better than no tracking in one of "
        "four geometric metrics. Time is `time_per_frame`, or the slope of `total_runtime` against `frame_count`.",
        (
            RankedMetric("dsc", _UP, aliases=("dice", "dice_similarity_coefficient")),
            RankedMetric("hd95", _DOWN, aliases=("hausdorff_distance_95",)),
            RankedMetric("asd_to_truth", _DOWN, aliases=("masd", "surface_distance_average")),
            RankedMetric("centre_distance", _DOWN, aliases=("cd", "center_distance")),
            RankedMetric("relative_d98", _UP, aliases=("relative_d98_dose",)),
            RankedMetric("time_per_frame", _DOWN, aliases=("total_runtime",), against="frame_count"),
        ),
        "ranks of means",
        ties="min",
        must_beat=("dsc", "hd95", "asd_to_truth", "centre_distance"),
        limits={"time_per_frame": 1.0},
    ),
    Scheme(
        "pitvis",
        "PitVis-2023, task 3 (arXiv 2409.01184): the mean of the step and the instrument score, averaged over videos.",
        (
            RankedMetric("step_score", _UP, aliases=("steps",)),
            RankedMetric("instrument_score", _UP, aliases=("instruments",)),
        ),
        "means",
    ),
    Scheme(
        "pitvis-steps",
        "PitVis-2023, task 1: (macro-F1 + edit score) / 2, averaged over videos.",
        (RankedMetric("step_score", _UP, aliases=("steps",)),),
        "means",
    ),
    Scheme(
        "pitvis-instruments",
        "PitVis-2023, task 2: weighted F1 of instruments, averaged over videos.",
        (RankedMetric("instrument_score", _UP, aliases=("instruments",)),),
        "means",
    ),
    Scheme(
        "mc-mri",
        "Multi-Coil MRI Reconstruction Challenge (arXiv 2011.07952): 0.4 rank(SSIM) + 0.4 rank(VIF) + 0.2 rank(PSNR), "
        "slices of all accelerations and coil sets pooled. The official script cuts shared ranks to whole numbers; "
        "here ties share their average place.",
        (
            RankedMetric("ssim", _UP, weight=0.4),
            RankedMetric("vif", _UP, weight=0.4),
            RankedMetric("psnr", _UP, weight=0.2),
        ),
        "ranks of means",
    ),
)

SCHEMES: Mapping[str, Scheme] = {scheme.name: scheme for scheme in _ALL}


def find_scheme(scheme: str | Scheme) -> Scheme:
    """The scheme of that name, or the scheme itself. Raises ConfigurationError."""
    if isinstance(scheme, Scheme):
        return scheme
    if scheme not in SCHEMES:
        raise ConfigurationError(f"scheme {scheme}", "is not known", f"Use one of {', '.join(SCHEMES)}.")
    return SCHEMES[scheme]
