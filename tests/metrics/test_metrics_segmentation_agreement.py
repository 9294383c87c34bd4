"""200 random and adversarial pairs of masks: overlap, surface, boundary and centreline measures against the peers."""

import itertools
import math
import warnings

import numpy as np
import pytest
import SimpleITK as sitk
import surface_distance as deepmind
import torch
from monai.metrics import (
    compute_average_surface_distance,
    compute_dice,
    compute_hausdorff_distance,
    compute_iou,
    compute_surface_dice,
)
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.spatial.distance import cdist
from skimage.morphology import dilation, skeletonize

from groundglass.metrics.segmentation import boundary_iou, boundary_iou_mm, cl_dice, score_masks
from groundglass.metrics.segmentation.boundary import rim_width
from groundglass.metrics.segmentation.surface_elements import element_areas

SPACINGS = {3: ((1.0, 1.0, 1.0), (0.5, 0.5, 3.0), (2.0, 0.75, 0.75), (0.6, 0.9, 1.7)), 2: ((1.0, 1.0), (0.4, 1.3))}
TOLERANCE = 1.0


def blob(rng, shape):
    noise = gaussian_filter(rng.normal(size=shape), rng.uniform(0.5, 2.0), mode="nearest")
    return noise > np.quantile(noise, rng.uniform(0.3, 0.95))


def box(rng, shape):
    mask = np.zeros(shape, dtype=bool)
    low = [int(rng.integers(0, n)) for n in shape]
    mask[tuple(slice(a, int(rng.integers(a, n)) + 1) for a, n in zip(low, shape, strict=True))] = True
    return mask


def single(rng, shape):
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(int(rng.integers(0, n)) for n in shape)] = True
    return mask


def full(rng, shape):
    return np.ones(shape, dtype=bool)


def dust(rng, shape):
    mask = rng.random(shape) < rng.uniform(0.05, 0.6)
    return mask if mask.any() else full(rng, shape)


def moved(rng, mask):
    """The mask shifted by some voxels, what leaves the image lost (never all of it)."""
    shift = rng.integers(-3, 4, mask.ndim)
    other = np.roll(mask, shift, axis=tuple(range(mask.ndim)))
    return other if other.any() else mask


def cases():
    """(seed, prediction, truth, spacing): neither mask empty; 2D and 3D, odd sizes, thin, isotropic and not."""
    makers = (blob, box, single, full, dust)
    for seed in range(200):
        rng = np.random.default_rng(seed)
        ndim = 2 if seed % 4 == 3 else 3
        shape = tuple(int(n) for n in rng.integers(1 if seed % 10 == 0 else 2, 17, ndim))
        truth = makers[seed % 5](rng, shape)
        prediction = moved(rng, truth) if seed % 2 else makers[int(rng.integers(0, 5))](rng, shape)
        yield seed, prediction, truth, SPACINGS[ndim][seed % len(SPACINGS[ndim])]


ALL = list(cases())
ASKED = [
    "dice",
    "iou",
    "hd",
    "hd95",
    "hd95_pooled",
    "assd",
    "asd_to_truth",
    "asd_to_prediction",
    "nsd",
    "hd95_area",
    "nsd_area",
    "assd_area",
    "masd_area",
    "volume_similarity",
    "sensitivity",
    "precision",
    "specificity",
    "centre_distance",
    "avd_ml",
    "rvd",
    "masd",
]


@pytest.fixture(scope="module")
def ours():
    found = {}
    for seed, prediction, truth, spacing in ALL:
        metrics = [m for m in ASKED if truth.ndim == 3 or m != "avd_ml"]
        found[seed] = score_masks(prediction, truth, spacing, tolerance_mm=TOLERANCE, metrics=metrics, threads=1)[1]
    return found


def close(value, expected):
    return value == pytest.approx(expected, abs=1e-6, rel=1e-6, nan_ok=True)


def test_overlap_and_surface_voxels_agree_with_monai(ours):
    warnings.filterwarnings("ignore", category=FutureWarning)
    for seed, prediction, truth, spacing in ALL:
        said, real = (torch.from_numpy(m.astype(np.uint8))[None, None] for m in (prediction, truth))
        how = {"include_background": True, "spacing": spacing}
        expected = {
            "dice": compute_dice(said, real),
            "iou": compute_iou(said, real),
            "hd": compute_hausdorff_distance(said, real, **how),
            "hd95": compute_hausdorff_distance(said, real, percentile=95, **how),
            "assd": compute_average_surface_distance(said, real, symmetric=True, **how),
            "asd_to_truth": compute_average_surface_distance(said, real, **how),
            "nsd": compute_surface_dice(said, real, [TOLERANCE], **how),
        }
        for name, value in expected.items():
            assert close(ours[seed][name], float(value)), (seed, name)


def test_surface_areas_agree_with_surface_distance(ours):
    for seed, prediction, truth, spacing in ALL:
        distances = deepmind.compute_surface_distances(truth, prediction, spacing)
        one, other = deepmind.compute_average_surface_distance(distances)
        areas = distances["surfel_areas_gt"].sum(), distances["surfel_areas_pred"].sum()
        expected = {
            "hd95_area": deepmind.compute_robust_hausdorff(distances, 95),
            "nsd_area": deepmind.compute_surface_dice_at_tolerance(distances, TOLERANCE),
            "masd_area": (one + other) / 2,
            "assd_area": (one * areas[0] + other * areas[1]) / sum(areas),
        }
        for name, value in expected.items():
            assert close(ours[seed][name], float(value)), (seed, name)


def test_every_neighbourhood_has_the_published_area():
    from surface_distance import lookup_tables as tables

    spacing, flat = (0.7, 1.3, 2.9), (0.7, 2.9)
    theirs = {
        3: (tables.create_table_neighbour_code_to_surface_area(spacing), tables.ENCODE_NEIGHBOURHOOD_3D_KERNEL),
        2: (tables.create_table_neighbour_code_to_contour_length(flat), tables.ENCODE_NEIGHBOURHOOD_2D_KERNEL),
    }
    for ndim, size in ((3, spacing), (2, flat)):
        expected, kernel = theirs[ndim]
        weights = kernel.reshape(-1)
        for code, area in enumerate(element_areas(size)):
            peers = sum(int(weight) for bit, weight in enumerate(weights) if code >> bit & 1)
            assert area == pytest.approx(expected[peers], abs=1e-12), code


def test_volumes_and_overlap_agree_with_simpleitk(ours):
    for seed, prediction, truth, spacing in ALL:
        said, real = (sitk.GetImageFromArray(m.astype(np.uint8)) for m in (prediction, truth))
        peer = sitk.LabelOverlapMeasuresImageFilter()
        peer.Execute(said, real)
        # Its volume similarity is signed, 2 (A - B) / (A + B); its false positive error is 1 - precision.
        assert close(ours[seed]["volume_similarity"], 1 - abs(peer.GetVolumeSimilarity(1)) / 2), seed
        assert close(ours[seed]["precision"], 1 - peer.GetFalseDiscoveryRate(1)), seed
        assert close(ours[seed]["sensitivity"], 1 - peer.GetFalseNegativeError(1)), seed
        assert close(ours[seed]["iou"], peer.GetJaccardCoefficient(1)), seed
        outside = ~truth
        expected = float((outside & ~prediction).sum() / outside.sum()) if outside.any() else math.nan
        assert close(ours[seed]["specificity"], expected), seed
        volume = int(prediction.sum()) - int(truth.sum())
        assert close(ours[seed]["rvd"], volume / int(truth.sum())), seed
        if truth.ndim == 3:
            assert close(ours[seed]["avd_ml"], abs(volume) * math.prod(spacing) / 1000), seed


def test_distances_agree_with_their_definition(ours):
    """All pairs of surface voxels, written out; what the library peers do not offer."""
    for seed, prediction, truth, spacing in ALL[::4]:
        surfaces = []
        for mask in (prediction, truth):
            padded = np.pad(mask, 1)
            inner = [np.roll(padded, s, axis) for axis in range(mask.ndim) for s in (1, -1)]
            surfaces.append((np.argwhere(padded & ~np.logical_and.reduce(inner)) - 1) * np.array(spacing))
        gaps = cdist(*surfaces)
        forth, back = gaps.min(axis=1), gaps.min(axis=0)
        assert close(ours[seed]["hd95_pooled"], np.percentile(np.concatenate([forth, back]), 95)), seed
        assert close(ours[seed]["masd"], (forth.mean() + back.mean()) / 2), seed
        assert close(ours[seed]["asd_to_prediction"], back.mean()), seed
        centres = [(np.argwhere(m) * np.array(spacing)).mean(axis=0) for m in (prediction, truth)]
        assert close(ours[seed]["centre_distance"], np.linalg.norm(centres[0] - centres[1])), seed


def test_labels_are_scored_as_if_alone():
    """A map of many labels gives what each label gives by itself, in any memory order and integer type."""
    rng = np.random.default_rng(5)
    for shape, spacing in (((21, 18, 15), (1.0, 0.5, 0.5)), ((40, 33), (0.7, 1.1))):
        first, second = (rng.integers(0, 5, shape) * blob(rng, shape) for _ in range(2))
        metrics = ["dice", "hd95", "assd", "nsd", "nsd_area", "hd95_area", "centre_distance", "cl_dice", "boundary_iou"]
        scores = score_masks(first, second, spacing, metrics=metrics)
        assert sorted(scores) == [1, 2, 3, 4]
        for label, order in itertools.product(scores, "CF"):
            masks = (np.asarray(m == label, dtype=np.int16, order=order) * 700 for m in (first, second))
            alone = score_masks(*masks, spacing, metrics=metrics, threads=1)[700]
            assert alone == pytest.approx(scores[label], abs=1e-12)


@pytest.mark.parametrize(("ndim", "width"), [(2, 1), (2, 3), (3, 1), (3, 2)])
def test_boundary_iou_is_what_erosions_remove(ndim, width):
    """Against erosions of SimpleITK by a box, and in mm against SimpleITK's distance map."""
    rng = np.random.default_rng(ndim * 10 + width)
    for _ in range(12):
        shape, spacing = tuple(int(n) for n in rng.integers(3, 15, ndim)), rng.uniform(0.4, 2, ndim)
        masks = [blob(rng, shape), box(rng, shape)]
        rims, rims_mm = [], []
        for mask in masks:
            image = sitk.GetImageFromArray(np.pad(mask, width + 1).astype(np.uint8))
            eroded = sitk.BinaryErode(image, [width] * ndim, sitk.sitkBox, 0, 1)
            inner = sitk.GetArrayFromImage(eroded)[(slice(width + 1, -width - 1),) * ndim] > 0
            rims.append(mask & ~inner)
            background = np.argwhere(~np.pad(mask, 1)) * spacing
            inside = np.argwhere(np.pad(mask, 1))
            rim = np.zeros_like(np.pad(mask, 1))
            rim[tuple(inside[cdist(inside * spacing, background).min(axis=1) <= 1.5].T)] = True
            rims_mm.append(rim)
        for found, pair in (
            (boundary_iou(*masks, width), rims),
            (boundary_iou_mm(*masks, spacing, 1.5), rims_mm),
        ):
            # Voxels wider than the width in mm leave no rim.
            either = (pair[0] | pair[1]).sum()
            assert close(found, (pair[0] & pair[1]).sum() / either if either else math.nan)


def test_boundary_width_is_two_percent_of_the_diagonal():
    assert rim_width((480, 640)) == 16
    assert rim_width((10, 10)) == 1
    assert math.isnan(boundary_iou(np.zeros((4, 4), bool), np.zeros((4, 4), bool), 1))


def test_cl_dice_is_the_harmonic_mean_over_skeletons():
    rng = np.random.default_rng(3)
    for ndim in (2, 3):
        for _ in range(5):
            truth = blob(rng, (14,) * ndim)
            prediction = dilation(truth, np.ones((3,) * ndim))
            ours, theirs = skeletonize(prediction), skeletonize(truth)
            precision, recall = (ours & truth).sum() / ours.sum(), (theirs & prediction).sum() / theirs.sum()
            assert recall == 1
            assert close(cl_dice(prediction, truth), 2 * precision / (1 + precision))


def test_cl_dice_sees_a_broken_vessel_that_dice_does_not():
    vessel = np.zeros((60, 60), dtype=bool)
    vessel[28:31] = True
    thin, broken = vessel.copy(), vessel.copy()
    thin[28] = False
    broken[:, 20:28] = False
    scores = [score_masks(m, vessel, 1.0, metrics=["dice", "cl_dice"])[1] for m in (thin, broken)]
    assert scores[0]["dice"] < scores[1]["dice"]
    assert scores[0]["cl_dice"] > scores[1]["cl_dice"]
    assert math.isnan(cl_dice(np.zeros((4, 4), bool), vessel[:4, :4]))


def test_lee_leaves_no_skeleton_of_an_even_block():
    block = np.pad(np.ones((2, 2, 2), dtype=bool), 2)
    assert math.isnan(cl_dice(block, block))


def test_a_step_that_rounding_lengthens_is_within_tolerance():
    """Three steps of 0.1 mm are 0.30000000000000004 mm."""
    truth, prediction = np.zeros((12, 1), dtype=bool), np.zeros((12, 1), dtype=bool)
    truth[2], prediction[5] = True, True
    assert score_masks(prediction, truth, 0.1, tolerance_mm=0.3, metrics=["nsd"])[1]["nsd"] == 1


def test_distances_beyond_the_first_reach_are_exact():
    """Blobs far apart in a wide image, where the grid is left for the tree, against a distance transform."""
    rng = np.random.default_rng(8)
    for spacing in ((1.0, 1.0, 1.0), (1.0, 1.0, 2.5), (0.7, 0.8, 0.9)):
        truth, prediction = (np.zeros((90, 70, 40), dtype=bool) for _ in range(2))
        for mask, corner in ((truth, 2), (prediction, 5)):
            mask[corner : corner + 20, corner : corner + 20, 5:15] = rng.random((20, 20, 10)) < 0.7
        prediction[80:88, 60:68, 30:38] = True
        found = score_masks(prediction, truth, spacing, metrics=["hd"])[1]["hd"]
        reach = [distance_transform_edt(~m, sampling=spacing) for m in (truth, prediction)]
        assert close(found, max(reach[0][prediction].max(), reach[1][truth].max()))
