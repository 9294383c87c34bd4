"""Dice, HD95 and NSD of ten labels on two 256^3 masks, against MONAI, surface-distance and medpy, in one run.

    python benchmarks/segmentation_metrics.py [--size 256] [--labels 10] [--repeats 5] [--slow-repeats 1]

Peers that are not installed are left out (medpy is GPL and no dependency: put it on PYTHONPATH to compare). Each run of
a peer is followed by one of ours, so that a busy machine slows both; printed as JSON are medians of seconds, and of
the ratios within pairs, of wall and of processor time. `groundglass` counts surface voxels as MONAI and medpy do,
`groundglass_area` surface areas as surface-distance does; values are compared with the peer's.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import os
import statistics
import time
import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from groundglass.metrics.segmentation import score_masks

Labels = NDArray[np.uint8]
Scores = dict[int, tuple[float, float, float]]
TOLERANCE = 2.0


def phantoms(size: int, labels: int, seed: int = 0) -> tuple[Labels, Labels]:
    """Prediction and truth: bumpy ellipsoids of about 20 % of the edge, the prediction's moved and bumped otherwise."""
    rng = np.random.default_rng(seed)
    prediction, truth = (np.zeros((size,) * 3, np.uint8) for _ in range(2))
    centres: list[NDArray[np.float64]] = []
    while len(centres) < labels:
        centre = rng.uniform(0.17 * size, 0.83 * size, 3)
        if all(np.linalg.norm(centre - other) > 0.27 * size for other in centres):
            centres.append(centre)
    for label, centre in enumerate(centres, start=1):
        radii = rng.uniform(0.085, 0.14, 3) * size
        for mask, shift in ((truth, np.zeros(3)), (prediction, rng.uniform(-0.011, 0.011, 3) * size)):
            middle = centre + shift
            box = tuple(
                slice(max(0, int(m - 1.5 * r)), min(size, int(m + 1.5 * r) + 1))
                for m, r in zip(middle, radii, strict=True)
            )
            axes = np.ogrid[box]
            distance = sum(((x - m) / r) ** 2 for x, m, r in zip(axes, middle, radii, strict=True))
            bumps = gaussian_filter(rng.normal(size=distance.shape), 6)
            inside = distance < (1 + 0.1 * bumps / bumps.std()) ** 2
            mask[box][inside & (mask[box] == 0)] = label
    return prediction, truth


def ours(prediction: Labels, truth: Labels, labels: int) -> Scores:
    """By surface voxels."""
    found = score_masks(prediction, truth, 1.0, tolerance_mm=TOLERANCE, metrics=("dice", "hd95", "nsd"))
    return {label: (one["dice"], one["hd95"], one["nsd"]) for label, one in found.items()}


def ours_by_area(prediction: Labels, truth: Labels, labels: int) -> Scores:
    """By surface area."""
    found = score_masks(prediction, truth, 1.0, tolerance_mm=TOLERANCE, metrics=("dice", "hd95_area", "nsd_area"))
    return {label: (one["dice"], one["hd95_area"], one["nsd_area"]) for label, one in found.items()}


def with_monai(prediction: Labels, truth: Labels, labels: int) -> Scores:
    """One-hot, then its three functions, as its documentation shows."""
    import torch
    from monai.metrics import compute_dice, compute_hausdorff_distance, compute_surface_dice

    channels = torch.arange(1, labels + 1, dtype=torch.uint8).view(1, -1, 1, 1, 1)
    said, real = ((torch.from_numpy(m)[None, None] == channels).to(torch.uint8) for m in (prediction, truth))
    dice = compute_dice(said, real)[0]
    hd95 = compute_hausdorff_distance(said, real, include_background=True, percentile=95, spacing=1.0)[0]
    nsd = compute_surface_dice(said, real, [TOLERANCE] * labels, include_background=True, spacing=1.0)[0]
    return {i + 1: (float(dice[i]), float(hd95[i]), float(nsd[i])) for i in range(labels)}


def with_surface_distance(prediction: Labels, truth: Labels, labels: int) -> Scores:
    """Label by label."""
    import surface_distance as peer

    scores = {}
    for label in range(1, labels + 1):
        said, real = prediction == label, truth == label
        distances = peer.compute_surface_distances(real, said, (1.0, 1.0, 1.0))
        scores[label] = (
            float(peer.compute_dice_coefficient(real, said)),
            float(peer.compute_robust_hausdorff(distances, 95)),
            float(peer.compute_surface_dice_at_tolerance(distances, TOLERANCE)),
        )
    return scores


def with_medpy(prediction: Labels, truth: Labels, labels: int) -> Scores:
    """Label by label; it has no NSD, and pools both directions for HD95."""
    from medpy.metric import binary

    scores = {}
    for label in range(1, labels + 1):
        said, real = prediction == label, truth == label
        scores[label] = (float(binary.dc(said, real)), float(binary.hd95(said, real)), float("nan"))
    return scores


PEERS: dict[str, tuple[Callable[[Labels, Labels, int], Scores], bool]] = {
    "monai": (with_monai, False),
    "surface_distance": (with_surface_distance, False),
    "medpy": (with_medpy, True),
}


def seconds(run: Callable[[], Scores]) -> tuple[float, float, Scores]:
    """(wall, processor) time of one run, and its scores."""
    gc.collect()
    start, busy = time.perf_counter(), time.process_time()
    scores = run()
    return time.perf_counter() - start, time.process_time() - busy, scores


def compare(
    peer: Callable[[Labels, Labels, int], Scores],
    mine: Callable[[Labels, Labels, int], Scores],
    masks: tuple[Labels, Labels],
    labels: int,
    repeats: int,
) -> dict[str, Any]:
    """Pairs of runs, the peer's and ours."""
    mine(*masks, labels)
    pairs = [(seconds(lambda: peer(*masks, labels)), seconds(lambda: mine(*masks, labels))) for _ in range(repeats)]
    theirs, own = pairs[-1][0][2], pairs[-1][1][2]
    gaps = np.abs(np.array([theirs[k] for k in own]) - np.array(list(own.values())))
    wall = [a[0] / b[0] for a, b in pairs]
    return {
        "n": repeats,
        "peer_s": round(statistics.median(a[0] for a, _ in pairs), 3),
        "groundglass_s": round(statistics.median(b[0] for _, b in pairs), 4),
        "ratio": round(statistics.median(wall), 1),
        "ratio_lowest": round(min(wall), 1),
        "ratio_of_processor_time": round(statistics.median(a[1] / b[1] for a, b in pairs), 1),
        "greatest_difference": dict(zip(("dice", "hd95", "nsd"), gaps.max(axis=0).tolist(), strict=True)),
    }


def memory(masks: tuple[Labels, Labels], labels: int) -> float:
    """MiB that one run of ours allocates beyond the masks, at its peak."""
    tracemalloc.start()
    ours(*masks, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return round(peak / 2**20, 1)


def main() -> None:
    """Print the table as JSON."""
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--labels", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--slow-repeats", type=int, default=1, help="of medpy, which takes half a minute and more")
    options = parser.parse_args()
    masks = phantoms(options.size, options.labels)
    table: dict[str, Any] = {
        "size": options.size,
        "labels": options.labels,
        "foreground": round(float((masks[1] > 0).mean()), 3),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "memory_mib": memory(masks, options.labels),
    }
    for name, (peer, slow) in PEERS.items():
        if importlib.util.find_spec(name) is None:
            continue
        repeats = options.slow_repeats if slow else options.repeats
        table[name] = compare(peer, ours, masks, options.labels, repeats)
        if name == "surface_distance":
            table[f"{name}_same_definition"] = compare(peer, ours_by_area, masks, options.labels, repeats)
    print(json.dumps(table, indent=2))


if __name__ == "__main__":
    main()
