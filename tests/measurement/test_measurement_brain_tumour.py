"""Tumour numbers against closed forms, brute force and the definitions of the RANO resect group."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from groundglass.core import EmptyMaskError, GeometryError, InputError, Mask
from groundglass.measurement import (
    MNI_1MM,
    clean,
    extent_of_resection,
    foci,
    laterality,
    mni152_regions,
    mni152_template,
    mni152_tissue,
    overlaps,
    read_atlas,
    resectability,
    surface_gap_mm,
    volume_ml,
)
from groundglass.systems.s66_raidionics import ball


def test_sides_of_a_shifted_sphere_are_spherical_caps() -> None:
    radius = 15.0
    for offset in (-12.0, -4.0, 0.0, 7.0, 20.0):
        found = laterality(ball((offset, -10.0, 30.0), radius))
        height = np.clip(radius - offset, 0, 2 * radius)
        cap = 100 * height**2 * (3 * radius - height) / (4 * radius**3)
        assert found.left == pytest.approx(cap, abs=1.0)
        assert found.left + found.right == pytest.approx(100)
        assert found.crosses_midline == (abs(offset) < radius)
    assert laterality(ball((20.0, 0.0, 0.0), 10.0)).midline_mm == pytest.approx(10.0, abs=0.6)
    assert laterality(ball((-20.0, 0.0, 0.0), 10.0)).side == "left"


def test_distance_between_foci_is_the_smallest_surface_distance() -> None:
    rng = np.random.default_rng(0)
    affine = np.array([[0.9, 0.1, 0, 4], [-0.1, 0.8, 0.2, -3], [0, -0.1, 2.5, 9], [0, 0, 0, 1]])
    array = np.zeros((30, 30, 12), bool)
    one, other = array.copy(), array.copy()
    one[2:9, 3:11, 2:5] = rng.random((7, 8, 3)) > 0.3
    other[18:27, 14:25, 6:11] = rng.random((9, 11, 5)) > 0.3
    found = surface_gap_mm(Mask.of(one, affine), Mask.of(other, affine))
    # Independent: every face midpoint by hand, all pairs.
    points = []
    for inside in (one, other):
        faces = []
        for cell in np.argwhere(inside):
            for axis in range(3):
                for step in (-1, 1):
                    beside = cell.copy()
                    beside[axis] += step
                    if not inside[tuple(beside)]:
                        faces.append((cell + beside) / 2)
        points.append(np.array(faces) @ affine[:3, :3].T + affine[:3, 3])
    assert found == pytest.approx(cdist(*points).min(), rel=1e-9)


@pytest.mark.parametrize(("gap", "multifocal"), [(4.0, False), (6.0, True)])
def test_multifocal_from_five_millimetres(gap: float, multifocal: bool) -> None:
    both = ball((-20.5, 0, 20), 10.0).array | ball((gap - 0.5, 0, 20), 8.0 + 2.0).array
    found = foci(Mask.of(both, MNI_1MM.affine))
    assert found.gaps_mm[0] == pytest.approx(gap, abs=0.5)
    assert found.is_multifocal is multifocal


def test_a_part_below_a_tenth_of_a_millilitre_is_no_focus() -> None:
    both = ball((-20, 0, 20), 10.0).array | ball((30, 0, 20), 2.5).array
    assert len(foci(Mask.of(both, MNI_1MM.affine)).masks) == 1
    assert len(foci(ball((0, 0, 0), 2.0)).masks) == 1
    with pytest.raises(EmptyMaskError):
        foci(Mask.of(np.zeros((4, 4, 4)), np.eye(4)))


@pytest.mark.parametrize(
    ("before", "after", "extent", "category", "rano"),
    [
        (40.0, 0.0, 100.0, "complete", "2A"),
        (40.0, 0.8, 98.0, "near total", "2B"),
        (40.0, 4.0, 90.0, "subtotal", "3A"),
        (400.0, 12.0, 97.0, "subtotal", "3B"),
        (400.0, 60.0, 85.0, "partial", "3B"),
        (40.0, 20.0, 50.0, "partial", "3B"),
        (40.0, 50.0, -25.0, "growth", "4"),
    ],
)
def test_extent_of_resection(before: float, after: float, extent: float, category: str, rano: str) -> None:
    found = extent_of_resection(before, after)
    assert found.extent == pytest.approx(extent)
    assert (found.category, found.rano_class) == (category, rano)


def test_extent_of_resection_needs_a_tumour_before() -> None:
    assert extent_of_resection(0.0, 3.0).extent is None
    assert extent_of_resection(0.0, 3.0).category == "undefined"
    with pytest.raises(InputError):
        extent_of_resection(3.0, -1.0)


def test_resectability_is_the_mean_of_the_map_of_its_side() -> None:
    tumour = ball((25.0, 0, 20), 9.0)
    x = np.broadcast_to(np.linspace(0, 1, 182)[:, None, None], MNI_1MM.shape)
    right = resectability(tumour, np.zeros(MNI_1MM.shape), x, side="right")
    assert right.index == pytest.approx(x[tumour.array].mean())
    assert right.residual_ml + right.resectable_ml == pytest.approx(volume_ml(tumour))
    assert resectability(tumour, np.zeros(MNI_1MM.shape), x, side="left").index == 0
    with pytest.raises(GeometryError):
        resectability(tumour, np.zeros((3, 3, 3)))


def test_overlap_with_the_atlas_that_ships() -> None:
    atlas = mni152_regions()
    putamen = next(r for r in atlas.regions if r.title == "left putamen")
    tumour = Mask.of(atlas.labels == putamen.value, atlas.affine)
    found = {o.region.title: o for o in overlaps(tumour, atlas)}
    assert found["left putamen"].share_of_tumour == found["left putamen"].share_of_region == 100
    assert found["right putamen"].share_of_tumour == 0
    assert found["right putamen"].distance_mm == pytest.approx(27.0, abs=4.0)
    tissue = {o.region.name: o.share_of_tumour for o in overlaps(tumour, mni152_tissue())}
    assert sum(tissue.values()) == pytest.approx(100, abs=0.5)


def test_structures_lie_on_their_side_and_have_plausible_volumes() -> None:
    atlas = mni152_regions()
    for region in atlas.regions:
        inside = Mask.of(atlas.labels == region.value, atlas.affine)
        found = laterality(inside)
        assert (found.left if region.side == "left" else found.right) > 95, region.title
    held = {r.title: (atlas.labels == r.value).sum() / 1000 for r in atlas.regions}
    # Published adult means (mL, one side): putamen 4 to 7, caudate 3 to 6, pallidum 1.1 to 2.
    assert 4 < held["right putamen"] < 7.5
    assert 3 < held["right caudate nucleus"] < 6
    assert 1.1 < held["left globus pallidus"] < 2
    assert mni152_template().brain.sum() * 8e-3 == pytest.approx(1828.0, rel=0.2)


def test_a_users_atlas_is_read_with_its_names(tmp_path) -> None:
    import nibabel as nib

    labels = np.zeros((20, 20, 20), np.int16)
    labels[:10] = 3
    labels[10:] = 7
    nib.save(nib.Nifti1Image(labels, np.diag([2.0, 2, 2, 1])), tmp_path / "lobes.nii.gz")
    (tmp_path / "names.csv").write_text("value,name,side\n3,frontal lobe,left\n7,frontal lobe,R\n")
    atlas = read_atlas(tmp_path / "lobes.nii.gz", tmp_path / "names.csv")
    assert [r.title for r in atlas.regions] == ["left frontal lobe", "right frontal lobe"]
    (tmp_path / "names.json").write_text('{"3": "a"}')
    with pytest.raises(InputError, match="7"):
        read_atlas(tmp_path / "lobes.nii.gz", tmp_path / "names.json")
    (tmp_path / "bad.csv").write_text("number,what\n1,a\n")
    with pytest.raises(InputError):
        read_atlas(tmp_path / "lobes.nii.gz", tmp_path / "bad.csv")


def test_clean_closes_gaps_and_drops_specks() -> None:
    array = ball((0, 0, 20), 8.0).array
    array[90, 126, 92] = False
    array[10, 10, 10:14] = True
    tidy = clean(Mask.of(array, MNI_1MM.affine)).array
    assert tidy[90, 126, 92]
    assert not tidy[10, 10, 10:14].any()
