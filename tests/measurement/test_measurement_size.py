"""Diameters, volume and shape against closed forms, brute force, SimpleITK and recorded pyradiomics values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.distance import pdist
from skimage.measure import find_contours

from groundglass.core import EmptyMaskError, GeometryError, Mask
from groundglass.measurement.diameters import feret_diameter, recist_diameters
from groundglass.measurement.flat_shape import regularity
from groundglass.measurement.geometry import slice_axis, to_world
from groundglass.measurement.itk_grid import to_itk
from groundglass.measurement.shape import shape_of
from groundglass.measurement.volume import touches_border, volume_ml

UPRIGHT = np.eye(3)


def rotation(axis: int, angle: float) -> np.ndarray:
    i, j = (a for a in range(3) if a != axis)
    turned = np.eye(3)
    turned[i, i] = turned[j, j] = math.cos(angle)
    turned[i, j], turned[j, i] = -math.sin(angle), math.sin(angle)
    return turned


def affine_of(spacing, turn=UPRIGHT, origin=(-30.0, 12.0, 5.0), flip=(1, 1, 1)) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(np.array(spacing) * flip)
    affine[:3, 3] = origin
    return affine


def ellipsoid(shape, affine, semi_axes, turn=UPRIGHT) -> Mask:
    """An ellipsoid in the middle of the grid; its axes lie along the columns of `turn` in the world."""
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), -1).reshape(-1, 3).astype(float)
    world = to_world(grid, affine) - to_world((np.array(shape)[None] - 1) / 2.0, affine)
    return Mask.of((((world @ turn) / semi_axes) ** 2).sum(-1).reshape(shape) <= 1, affine)


GRIDS = {
    "isotropic": ((52, 52, 52), affine_of((1, 1, 1))),
    "thick axial": ((80, 80, 14), affine_of((0.7, 0.7, 5.0))),
    "slice first, left-handed": ((30, 60, 60), affine_of((2.0, 0.9, 0.9), np.eye(3)[:, [2, 0, 1]], flip=(1, -1, 1))),
    "oblique": ((70, 70, 26), affine_of((0.8, 0.8, 2.5), rotation(0, 0.3) @ rotation(2, -0.5))),
}


@pytest.mark.parametrize("name", GRIDS)
def test_ellipsoid_diameters_and_volume_agree_with_closed_forms(name: str) -> None:
    shape, affine = GRIDS[name]
    axis = slice_axis(affine)
    normal = affine[:3, axis] / np.linalg.norm(affine[:3, axis])
    plane = [affine[:3, a] / np.linalg.norm(affine[:3, a]) for a in range(3) if a != axis]
    # In-plane axes turned by 0.4 within the slice: the longest diameter lies along no grid axis.
    one = math.cos(0.4) * plane[0] + math.sin(0.4) * plane[1]
    turn = np.stack([one, np.cross(normal, one), normal], axis=1)
    a, b, c = 19.0, 11.0, 15.0
    mask = ellipsoid(shape, affine, (a, b, c), turn)
    pixel = min(np.delete(np.linalg.norm(affine[:3, :3], axis=0), axis))
    calipers = recist_diameters(mask)
    assert calipers.axis == axis
    assert abs(calipers.long_mm - 2 * a) <= pixel
    assert abs(calipers.short_mm - 2 * b) <= pixel
    assert volume_ml(mask) == pytest.approx(4 / 3 * math.pi * a * b * c / 1000, rel=0.02)
    for line, length in ((calipers.long, calipers.long_mm), (calipers.short, calipers.short_mm)):
        ends = to_world(np.array(line.points), affine)
        assert np.linalg.norm(ends[0] - ends[1]) == pytest.approx(length, abs=1e-9)
        assert abs(np.diff([p[axis] for p in line.points])[0]) == 0
    directions = [np.diff(to_world(np.array(li.points), affine), axis=0)[0] for li in (calipers.long, calipers.short)]
    assert abs(directions[0] @ directions[1]) < 1e-6
    # a = 19 mm is the greatest semi-axis; a thick slice adds its own height to the surface's reach.
    assert abs(feret_diameter(mask)[0] - 2 * a) <= max(np.linalg.norm(affine[:3, :3], axis=0))


def test_longest_diameter_is_the_brute_force_maximum_over_contour_points() -> None:
    rng = np.random.default_rng(5)
    affine = affine_of((0.8, 0.8, 3.0))
    for _ in range(5):
        blob = np.zeros((30, 34, 9), dtype=bool)
        for _ in range(6):
            centre, radius = rng.integers(6, 26, 3) % np.array([30, 34, 9]), rng.uniform(2, 6)
            grid = np.stack(np.meshgrid(*[np.arange(n) for n in blob.shape], indexing="ij"), -1)
            blob |= np.linalg.norm((grid - centre) * (1, 1, 2), axis=-1) < radius
        found = recist_diameters(Mask.of(blob, affine))
        best = 0.0
        for k in range(blob.shape[2]):
            contours = find_contours(np.pad(blob[:, :, k], 1).astype(float), 0.5)
            if contours:
                best = max(best, float(pdist(np.concatenate(contours) * 0.8).max()))
        assert found.long_mm == pytest.approx(best, abs=1e-9)


def test_one_voxel_and_one_slice_have_their_own_size() -> None:
    affine = affine_of((0.5, 0.5, 4.0))
    single = np.zeros((5, 5, 5), dtype=bool)
    single[2, 3, 1] = True
    found = recist_diameters(Mask.of(single, affine))
    assert found.long_mm == pytest.approx(0.5) and found.slice_index == 1
    assert feret_diameter(Mask.of(single, affine))[0] == pytest.approx(4.0)
    bar = np.zeros((9, 7, 1), dtype=bool)
    bar[1:8, 3:5] = True
    assert recist_diameters(Mask.of(bar, affine)).short_mm == pytest.approx(
        # Extent square to the diagonal of the hull of face midpoints, by its corners.
        _extent_by_hand(bar[:, :, 0], 0.5),
        abs=1e-9,
    )


def _extent_by_hand(pixels: np.ndarray, step: float) -> float:
    points = np.concatenate(find_contours(np.pad(pixels, 1).astype(float), 0.5)) * step
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    one, two = np.unravel_index(distances.argmax(), distances.shape)
    along = (points[two] - points[one]) / distances.max()
    return float(np.ptp(points @ np.array([-along[1], along[0]])))


def test_empty_and_flat_masks_are_refused() -> None:
    with pytest.raises(EmptyMaskError):
        recist_diameters(Mask.of(np.zeros((4, 4, 4)), np.eye(4)))
    with pytest.raises(GeometryError):
        shape_of(Mask.of(np.ones((4, 4)), np.eye(4)))


def test_slice_axis_is_the_odd_or_thickest_axis() -> None:
    assert slice_axis(affine_of((0.7, 0.7, 0.5))) == 2
    assert slice_axis(affine_of((5.0, 0.7, 0.7), np.eye(3)[:, [2, 0, 1]])) == 0
    assert slice_axis(affine_of((1, 1, 1), np.eye(3)[:, [2, 0, 1]])) == 0
    # A sagittal acquisition: thick left-right.
    assert slice_axis(affine_of((4.0, 1.0, 1.0))) == 0


@pytest.mark.parametrize("name", GRIDS)
def test_shape_agrees_with_simpleitk_and_closed_forms(name: str) -> None:
    shape, affine = GRIDS[name]
    semi = (16.0, 10.0, 13.0)
    mask = ellipsoid(shape, affine, semi)
    statistics = sitk.LabelShapeStatisticsImageFilter()
    statistics.ComputeFeretDiameterOn()
    statistics.Execute(sitk.Cast(to_itk(mask.array, affine), sitk.sitkUInt8))
    assert volume_ml(mask) * 1000 == pytest.approx(statistics.GetPhysicalSize(1), rel=1e-9)
    found = shape_of(mask)
    # SimpleITK's principal moments carry no partial-volume term either: variances of voxel centres.
    assert sorted(
        [(found.major_axis / 4) ** 2, (found.minor_axis / 4) ** 2, (found.least_axis / 4) ** 2]
    ) == pytest.approx(sorted(statistics.GetPrincipalMoments(1)), rel=1e-6)
    # Feret: theirs between voxel centres, ours between faces: at most one voxel diagonal apart, never shorter.
    ours, theirs = feret_diameter(mask)[0], statistics.GetFeretDiameter(1)
    assert 0 <= ours - theirs <= np.linalg.norm(np.linalg.norm(affine[:3, :3], axis=0))
    if name == "isotropic":
        p = 1.6075  # Thomsen's formula for the surface of an ellipsoid, error < 1.1 %.
        a, b, c = semi
        area = 4 * math.pi * (((a * b) ** p + (a * c) ** p + (b * c) ** p) / 3) ** (1 / p)
        # Marching cubes on a binary grid overestimates the surface; pyradiomics has the same bias (see below).
        assert area < found.surface_area < 1.11 * area


# pyradiomics 3.0.1 (numpy 2.x, built from source in a separate environment) on the two ellipsoids below.
PYRADIOMICS = {
    "ellipsoid": {
        "long": 30.083217912982647,
        "feret": 40.91454509095757,
        "mesh": 11320.0,
        "area": 2916.219724595824,
        "sphericity": 0.8360421356100356,
        "elongation": 0.750328749713348,
        "flatness": 0.4517990784323992,
        "major": 35.78668523701717,
        "minor": 26.851778790276217,
        "least": 16.1683914102347,
    },
    "small": {
        "long": 12.521980673998822,
        "feret": 12.584216304561837,
        "mesh": 486.53333333333285,
        "area": 334.7083604440121,
        "sphericity": 0.8937703927906325,
        "elongation": 0.834224094243961,
        "flatness": 0.6616613107266383,
        "major": 10.7081470768863,
        "minor": 8.932994296246592,
        "least": 7.08516663034621,
    },
}


@pytest.mark.parametrize(
    ("name", "shape", "spacing", "semi"),
    [
        ("ellipsoid", (40, 44, 30), (1.0, 1.0, 2.0), (15.0, 9.0, 20.0)),
        ("small", (20, 20, 20), (0.8, 0.8, 1.25), (6.0, 4.0, 5.0)),
    ],
)
def test_size_and_shape_equal_pyradiomics(name: str, shape, spacing, semi) -> None:
    mask = ellipsoid(shape, np.diag([*spacing, 1.0]), semi, rotation(2, 0.5))
    expected, found = PYRADIOMICS[name], shape_of(mask)
    assert recist_diameters(mask).long_mm == pytest.approx(expected["long"], abs=1e-9)
    assert feret_diameter(mask)[0] == pytest.approx(expected["feret"], abs=1e-9)
    assert found.mesh_volume * 1000 == pytest.approx(expected["mesh"], rel=0.005)
    assert found.surface_area == pytest.approx(expected["area"], rel=0.005)
    assert found.sphericity == pytest.approx(expected["sphericity"], rel=0.005)
    for ours, theirs in (
        (found.elongation, "elongation"),
        (found.flatness, "flatness"),
        (found.major_axis, "major"),
        (found.minor_axis, "minor"),
        (found.least_axis, "least"),
    ):
        assert ours == pytest.approx(expected[theirs], rel=1e-9)


def test_a_cube_has_the_shape_of_a_cube() -> None:
    cube = np.zeros((26, 26, 26), dtype=bool)
    cube[3:23, 3:23, 3:23] = True
    shape = shape_of(Mask.of(cube, np.diag([1.0, 1.0, 1.0, 1.0])))
    # The closed form is (pi/6)^(1/3); marching cubes bevels the edges of 20 voxels by half a voxel (+2.8 %).
    assert shape.sphericity == pytest.approx((math.pi / 6) ** (1 / 3), rel=0.03)
    assert shape.elongation == pytest.approx(1.0) and shape.flatness == pytest.approx(1.0)
    assert shape.compactness_2 == pytest.approx(shape.sphericity**3, rel=1e-9)


def test_a_sheared_grid_keeps_volume_and_diameter() -> None:
    # Gantry tilt: slices shift along the second axis as they rise.
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    affine[1, 2] = 0.7
    mask = ellipsoid((60, 80, 30), affine, (18.0, 12.0, 14.0))
    assert volume_ml(mask) == pytest.approx(4 / 3 * math.pi * 18 * 12 * 14 / 1000, rel=0.02)
    assert recist_diameters(mask, axis=2).long_mm == pytest.approx(36.0, abs=1.0)
    assert feret_diameter(mask)[0] == pytest.approx(36.0, abs=1.5)


def test_border_rule() -> None:
    inside = np.zeros((6, 6, 6), dtype=bool)
    inside[2:4, 2:4, 2:6] = True
    mask = Mask.of(inside, np.eye(4))
    assert touches_border(mask) and not touches_border(mask, axes=(0, 1))


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 1.5)])
def test_regularity_of_disc_square_and_ellipse(spacing) -> None:
    rows, columns = np.meshgrid(np.arange(700) * spacing[0], np.arange(700) * spacing[1], indexing="ij")
    x, y = rows - rows.mean(), columns - columns.mean()
    disc = regularity(x**2 + y**2 <= 110**2, spacing=spacing)
    assert disc.inverse_inertia == pytest.approx(1, rel=0.01)
    assert disc.convex_ratio == pytest.approx(1, rel=0.01)
    assert disc.box_ratio == pytest.approx(math.pi / 4, rel=0.01)
    square = regularity((abs(x) <= 100) & (abs(y) <= 100), spacing=spacing)
    assert square.inverse_inertia == pytest.approx(3 / math.pi, rel=0.01)
    a, b = 160.0, 100.0
    ellipse = regularity((x / a) ** 2 + (y / b) ** 2 <= 1, spacing=spacing)
    assert ellipse.inverse_inertia == pytest.approx(2 * a * b / (a**2 + b**2), rel=0.01)
