"""Projection against closed forms, each other, SimpleITK's projections and the adjoint (cards 75 and 8, check 1)."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import torch

from groundglass.core import ConfigurationError, Finding, GeometryError, Image, InputError, Location, Mask, ontology
from groundglass.io import SimulatedFilm, write_simulated_dx
from groundglass.synthesis.xray import (
    Exposure,
    XrayView,
    back_projection,
    exact_line_integrals,
    expose,
    grey,
    highest_on_rays,
    line_integrals,
    path_lengths,
    project_ct,
    siddon_jacobs_view,
    tool_values,
    xray_view,
)

UNIT = np.eye(4)
MU = 0.02
AXES = (30.0, 22.0, 36.0)


@pytest.fixture(scope="module")
def body() -> torch.Tensor:
    """An ellipsoid's occupancy at 1 mm, 4 x 4 x 4 samples per voxel."""
    n, offsets = 96, (np.arange(4) + 0.5) / 4 - 0.5
    grid = (np.arange(n)[:, None] + offsets).ravel() - (n - 1) / 2
    x, y, z = np.meshgrid(*(((grid / a) ** 2).astype(np.float32) for a in AXES), indexing="ij", sparse=True)
    return torch.from_numpy((x + y + z <= 1).reshape(n, 4, n, 4, n, 4).mean(axis=(1, 3, 5), dtype=np.float32))


def parallel_along_y(n: int) -> XrayView:
    """Pixels on the voxels' own columns: rows along z, columns along x."""
    return XrayView(
        np.array([0.0, n, 0.0]), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), (n, n), direction=np.array([0, 1.0, 0])
    )


def test_ellipsoid_area_centre_and_mass(body: torch.Tensor) -> None:
    image = line_integrals(body * MU, UNIT, parallel_along_y(96))
    # Rays through more than 2 mm: the ellipse shrunk by sqrt(1 - (1 / b)^2).
    area = np.pi * AXES[0] * AXES[2] * (1 - (1 / AXES[1]) ** 2)
    assert float((image > MU * 2).sum()) == pytest.approx(area, rel=0.01)
    assert float(image[47:49, 47:49].mean()) == pytest.approx(2 * AXES[1] * MU, rel=0.01)
    assert float(image.sum()) == pytest.approx(MU * 4 / 3 * np.pi * np.prod(AXES), rel=0.005)


def test_axis_parallel_beams_equal_simpleitk(body: torch.Tensor) -> None:
    volume = sitk.GetImageFromArray(body.double().numpy())  # SimpleITK's axis 1 is the middle numpy axis
    total = sitk.GetArrayFromImage(sitk.SumProjection(volume, 1))[:, 0].T
    highest = sitk.GetArrayFromImage(sitk.MaximumProjection(volume, 1))[:, 0].T
    view = parallel_along_y(96)
    np.testing.assert_allclose(exact_line_integrals(body.double(), UNIT, view).numpy(), total, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(line_integrals(body.double(), UNIT, view).numpy(), total, atol=1e-9)
    np.testing.assert_array_equal(highest_on_rays(body.double(), UNIT, view).numpy(), highest)


def test_oblique_rays_through_a_cube_have_their_analytic_length() -> None:
    rng = np.random.default_rng(0)
    cube, half = torch.ones(7, 7, 7, dtype=torch.float64), 7.0
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = -6.0  # the cube is [-7, 7]^3 mm
    for _ in range(40):
        way = rng.normal(size=3)
        way /= np.linalg.norm(way)
        target = rng.uniform(-8, 8, 3)
        view = XrayView(target + 50 * way, *_across(way), (1, 1), source=target - 300 * way)
        got = float(exact_line_integrals(cube, affine, view))
        with np.errstate(divide="ignore"):
            near, far = (-half - target) / way, (half - target) / way
        length = max(0.0, np.maximum(near, far).min() - np.minimum(near, far).max())
        assert got == pytest.approx(length, rel=1e-5, abs=1e-9)


def _across(way: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    one = np.cross(way, [0.3, 0.5, 0.8])
    return one / np.linalg.norm(one), np.cross(way, one / np.linalg.norm(one))


def test_exact_path_equals_all_sorted_crossings() -> None:
    """Siddon as he wrote it: sort every crossing of one ray, take the voxel of each piece's middle."""
    rng = np.random.default_rng(1)
    volume = rng.random((5, 6, 4))
    affine = np.diag([1.5, 1.0, 2.0, 1.0])
    view = xray_view(volume.shape, affine, (31.0, 17.0), size=9, pixel_mm=1.3, distance_mm=120.0)
    image = exact_line_integrals(torch.from_numpy(volume), affine, view).numpy()
    start, way = (part @ np.diag([1 / 1.5, 1, 0.5]) for part in view.rays())
    for row, column in np.ndindex(9, 9):
        s, d = start[row, column], way[row, column]
        crossings = np.sort(np.concatenate([(np.arange(n + 1) - 0.5 - s[k]) / d[k] for k, n in enumerate((5, 6, 4))]))
        total = 0.0
        for a, b in itertools.pairwise(crossings):
            voxel = np.floor(s + 0.5 * (a + b) * d + 0.5).astype(int)
            if (voxel >= 0).all() and (voxel < volume.shape).all():
                total += (b - a) * volume[tuple(voxel)]
        assert image[row, column] == pytest.approx(total, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("view", [(0.0, 0.0), (90.0, 0.0), (12.0, 9.0), (100.0, 10.0), (40.0, 35.0), (10.0, -60.0)])
def test_fast_and_exact_paths_agree(body: torch.Tensor, view: tuple[float, float]) -> None:
    smooth = torch.nn.functional.avg_pool3d(body[None], 5, stride=1, padding=2)[0]
    seen = xray_view((96, 96, 96), UNIT, view, size=64)
    fast, exact = line_integrals(smooth, UNIT, seen), exact_line_integrals(smooth, UNIT, seen)
    assert float((fast - exact).norm() / exact.norm()) < 0.001


@pytest.mark.parametrize("angle", [0.0, 90.0, 30.0])
def test_fast_path_is_exact_where_rays_leave_their_column_along_one_axis(angle: float) -> None:
    """Parallel rays level with the rows of voxels leave a voxel along one axis at a time; random voxels, so that no
    smoothness helps."""
    volume = torch.rand(24, 20, 22, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    affine = np.diag([1.0, 1.3, 2.0, 1.0])
    view = xray_view(volume.shape, affine, (angle, 0.0), size=34, parallel=True)  # no ray lies on a border of voxels
    np.testing.assert_allclose(
        line_integrals(volume, affine, view), exact_line_integrals(volume, affine, view), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("integral", [line_integrals, exact_line_integrals])
def test_straight_view_is_near_the_chord_of_the_continuous_body(
    body: torch.Tensor, integral: Callable[..., torch.Tensor]
) -> None:
    """Rays along the rows of voxels never leave their column: steps of voxels show, and no more than those."""
    view = xray_view((96, 96, 96), UNIT, "PA", size=64)
    start, way = view.rays()
    offset, way = (start - 47.5) / AXES, way / AXES
    a, b, c = (way**2).sum(-1), (offset * way).sum(-1), (offset**2).sum(-1) - 1
    chord = 2 * np.sqrt(np.maximum(b * b - a * c, 0)) / a
    assert np.linalg.norm(integral(body, UNIT, view).numpy() - chord) / np.linalg.norm(chord) < 0.03


def test_magnification_of_two_beads() -> None:
    volume = torch.zeros(81, 21, 81)
    volume[20, 10, 40] = volume[60, 10, 40] = 1.0
    affine = np.eye(4)
    affine[:3, 3] = [-40, -10, -40]
    view = xray_view((81, 21, 81), affine, "PA", size=(101, 401), pixel_mm=0.5, distance_mm=400.0, gap_mm=189.5)
    image = line_integrals(volume, affine, view).numpy()
    profile, columns = image.sum(axis=0), np.arange(401)
    left, right = ((profile * columns)[s].sum() / profile[s].sum() for s in (slice(0, 200), slice(201, 401)))
    assert (right - left) * 0.5 / 40 == pytest.approx(400 / 200, rel=0.005)
    pixels, scale = view.project(np.array([[-20.0, 0, 0], [20.0, 0, 0]]))
    np.testing.assert_allclose(scale, 2.0)
    np.testing.assert_allclose(pixels, [[50, 280], [50, 120]])  # the patient's left is on the right


def test_frontal_views_are_hung_alike_and_laterals_face_left() -> None:
    spot = torch.zeros(40, 40, 40)
    spot[29:32, 32:35, 34:37] = 1.0  # right, front, high
    affine = np.eye(4)
    for name, side in {"PA": "left", "AP": "left", "LAT": "left", "RLAT": "right"}.items():
        image = line_integrals(spot, affine, xray_view(spot.shape, affine, name, size=32)).numpy()
        row, column = np.unravel_index(image.argmax(), image.shape)
        assert row < 16
        assert (column < 16) == (side == "left")


def test_gradient_is_the_adjoint() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(12, 11, 10, dtype=torch.float64, generator=generator)
    view = xray_view(x.shape, UNIT, (44.0, 20.0), size=(9, 13), distance_mm=90.0)
    y = torch.rand(9, 13, dtype=torch.float64, generator=generator)
    left = float((line_integrals(x, UNIT, view) * y).sum())
    right = float((x * back_projection(y, UNIT, (12, 11, 10), view)).sum())
    assert left == pytest.approx(right, rel=1e-9)
    assert torch.autograd.gradcheck(
        lambda v: line_integrals(v, UNIT, view), torch.rand(3, 3, 3, dtype=torch.float64, requires_grad=True)
    )


def test_tool_geometry_block() -> None:
    """Card 75: a 100 mm block of +100 HU over a threshold of -100 gives 200 * 0.1 on the central ray."""
    view, affine = siddon_jacobs_view((20, 20, 20), (5.0, 5.0, 5.0), translation=(0, 0, 0), size=(11, 11))
    values = tool_values(exact_line_integrals(torch.full((20, 20, 20), 200.0), affine, view).numpy(), view)
    assert values[5, 5] == pytest.approx(20.0, rel=1e-9)
    far, _ = siddon_jacobs_view((20, 20, 20), (5.0, 5.0, 5.0), size=(11, 11))
    np.testing.assert_allclose(far.project(np.array([[60.0, 50, 50]]))[1], 1000 / 1300)
    side, _ = siddon_jacobs_view((20, 20, 20), (5.0, 5.0, 5.0), rotation=(0, 0, -90), size=(11, 11))
    np.testing.assert_allclose(side.normal, [-1, 0, 0], atol=1e-12)


def test_geometry_record_round_trip() -> None:
    for parallel in (False, True):
        view = xray_view((8, 9, 7), UNIT, "LAT", size=5, parallel=parallel)
        back = XrayView.of_document(view.document())
        np.testing.assert_array_equal(back.pixels, view.pixels)
        np.testing.assert_array_equal(back.rays()[1], view.rays()[1])


def test_spectrum_hardens_noise_is_seeded_and_bone_is_bright() -> None:
    paths = torch.zeros(2, 4, 64)
    paths[0] = torch.linspace(0, 300, 64)
    clean = expose(paths, Exposure(photons=None), np.random.default_rng(0))
    slope = np.diff(clean[0]) / np.diff(paths[0, 0].numpy())
    assert (np.diff(slope) < 0).all()  # the mean energy rises with depth
    assert 0.017 < slope[-1] < slope[0] < 0.03
    thin = expose(paths, Exposure(photons=1e4), np.random.default_rng(3))
    np.testing.assert_array_equal(thin, expose(paths, Exposure(photons=1e4), np.random.default_rng(3)))
    assert np.std(thin - clean) > 0
    assert grey(clean).argmax() == 63


def test_findings_are_carried(body: torch.Tensor) -> None:
    affine = np.eye(4)
    affine[:3, 3] = -47.5
    ct = Image.of((body.numpy() * 1040 - 1000).astype(np.int16), affine, name="ct", modality="CT")
    ball = np.zeros((96, 96, 96), dtype=bool)
    x, y, z = np.ogrid[:96, :96, :96]
    ball |= (x - 60) ** 2 + (y - 47.5) ** 2 + (z - 47.5) ** 2 <= 8.0**2
    finding = Finding("f1", ontology()["pulmonary nodule"], where=Location(mask=Mask.of(ball, affine), image="ct"))
    film = project_ct(ct, xray_view(ct.shape, ct.affine, "PA", size=96), findings=[finding])
    (carried,) = film.findings
    assert carried.finding.where.mask is not None
    assert carried.finding.where.box is not None
    assert not carried.is_cut
    assert carried.finding.measurements[0].value == pytest.approx(16, abs=1.0)
    assert carried.finding.where.box.centre[1] < 48  # the patient's right is on the left
    np.testing.assert_array_equal(carried.lengths > 0, carried.finding.where.mask.array)
    whole = exact_line_integrals(torch.from_numpy(ball.astype(np.float32)), affine, film.view).numpy()
    np.testing.assert_allclose(carried.lengths, whole, atol=1e-4)  # nothing lies outside of the window
    assert film.picture.max() == 1
    assert path_lengths(Mask.of(np.zeros((4, 4, 4)), affine), film.view).max() == 0


def test_dx_is_valid_and_the_same_each_time(tmp_path: Path) -> None:
    film = SimulatedFilm("radiograph of a CT", "Projected from CT", "LAT", 0.4, ("test", "1"), "projection")
    picture = np.linspace(0, 1, 64 * 48, dtype=np.float32).reshape(64, 48)
    one = write_simulated_dx(picture, film, tmp_path / "one.dcm")
    two = write_simulated_dx(picture, film, tmp_path / "two.dcm")
    assert one.read_bytes() == two.read_bytes()
    data = pydicom.dcmread(one)
    assert data.ImageType[0] == "DERIVED"
    assert "SIMULATED" in data.StudyDescription
    assert data.ViewCodeSequence[0].CodeMeaning == "left lateral"
    with pytest.raises(InputError, match="between 0 and 1"):
        write_simulated_dx(picture * 2, film, tmp_path / "bad.dcm")
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not installed")
    done = subprocess.run(["dciodvfy", "-new", str(one)], capture_output=True, text=True, check=False)
    assert "Error" not in done.stderr + done.stdout


def test_bad_geometry_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not known"):
        xray_view((8, 8, 8), UNIT, "OBLIQUE")
    with pytest.raises(GeometryError, match="lies in the volume"):
        xray_view((80, 80, 80), UNIT, "PA", distance_mm=100)
    inside = XrayView(np.zeros(3), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), (3, 3), source=np.array([4.0, 4, 4]))
    with pytest.raises(GeometryError, match="Move the source"):
        line_integrals(torch.ones(8, 8, 8), UNIT, inside)
    with pytest.raises(InputError, match="not in HU"):
        project_ct(Image.of(np.ones((4, 4, 4)), UNIT), xray_view((4, 4, 4), UNIT))
