"""Joseph's projector against closed forms and SimpleITK's projection filters (card 08, check 1)."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from groundglass.core import GeometryError
from groundglass.synthesis import Projector

MU = 0.02
AXES = (30.0, 22.0, 36.0)
UNIT = (1.0, 1.0, 1.0)


@pytest.fixture(scope="module")
def body() -> torch.Tensor:
    """An ellipsoid's occupancy at 1 mm, 4 x 4 x 4 samples per voxel."""
    n, offsets = 96, (np.arange(4) + 0.5) / 4 - 0.5
    grid = (np.arange(n)[:, None] + offsets).ravel() - (n - 1) / 2
    x, y, z = np.meshgrid(*(((grid / a) ** 2).astype(np.float32) for a in AXES), indexing="ij", sparse=True)
    return torch.from_numpy((x + y + z <= 1).reshape(n, 4, n, 4, n, 4).mean(axis=(1, 3, 5), dtype=np.float32))


def plane(n: int, y: float) -> np.ndarray:
    """Detector pixels at (column, y, row), 1 mm apart: rows along z, columns along x."""
    rows, columns = np.mgrid[:n, :n].astype(np.float64)
    return np.stack([columns, np.full_like(rows, y), rows], axis=-1)


def along_y(n: int) -> Projector:
    return Projector(plane(n, n - 1.0), axis=1, direction=np.array([0.0, 1.0, 0.0]))


def test_parallel_ellipsoid_area_centre_and_mass(body: torch.Tensor) -> None:
    image = along_y(96).integrate(body * MU, UNIT)
    # Rays through more than 2 mm: the ellipse shrunk by sqrt(1 - (1 / b)^2).
    area = np.pi * AXES[0] * AXES[2] * (1 - (1 / AXES[1]) ** 2)
    assert float((image > MU * 2).sum()) == pytest.approx(area, rel=0.01)
    assert float(image[47:49, 47:49].mean()) == pytest.approx(2 * AXES[1] * MU, rel=0.01)
    assert float(image.sum()) == pytest.approx(MU * 4 / 3 * np.pi * np.prod(AXES), rel=0.005)


def test_parallel_agrees_with_simpleitk(body: torch.Tensor) -> None:
    volume = sitk.GetImageFromArray(body.numpy())  # SimpleITK's axis 1 is the middle numpy axis
    total = sitk.GetArrayFromImage(sitk.SumProjection(volume, 1))[:, 0].T
    highest = sitk.GetArrayFromImage(sitk.MaximumProjection(volume, 1))[:, 0].T
    np.testing.assert_allclose(along_y(96).integrate(body, UNIT).numpy(), total, atol=2e-3)
    np.testing.assert_allclose(along_y(96).silhouette(body, UNIT).numpy(), highest, atol=1e-4)


def test_cone_beam_magnification_and_oblique_length() -> None:
    volume = torch.zeros(96, 40, 96)
    volume[28, 20, 48] = volume[68, 20, 48] = 1.0
    projector = Projector(plane(192, 220.0) - [48, 0, 48], axis=1, source=np.array([47.5, -180.0, 47.5]))
    image = projector.integrate(volume, UNIT).numpy()
    profile, columns = image.sum(axis=0), np.arange(192)
    left, right = (float((profile * columns)[s].sum() / profile[s].sum()) for s in (slice(0, 96), slice(96, 192)))
    assert (right - left) / 40 == pytest.approx((220 + 180) / (20 + 180), rel=0.005)
    oblique = Projector(np.array([[[200.0, 0.0, 1.0]]]), axis=1, direction=np.array([1.0, 2.0, 0.0]))
    length = oblique.integrate(torch.ones(400, 10, 3), UNIT)
    assert float(length[0, 0]) == pytest.approx(10 * np.sqrt(1.25), rel=1e-5)


def test_gradient_is_the_adjoint() -> None:
    generator = torch.Generator().manual_seed(0)
    volume = torch.rand(12, 12, 12, dtype=torch.float64, generator=generator, requires_grad=True)
    image = Projector(plane(12, 40.0), axis=1, source=np.array([5.0, -40.0, 6.0])).integrate(volume, UNIT)
    weights = torch.rand(image.shape, dtype=torch.float64, generator=generator)
    other = torch.rand(volume.shape, dtype=torch.float64, generator=generator)
    (image * weights).sum().backward()
    assert volume.grad is not None
    projected = Projector(plane(12, 40.0), axis=1, source=np.array([5.0, -40.0, 6.0])).integrate(other, UNIT)
    # <A z, w> = <z, A' w> for another volume z, where A' w is the gradient.
    assert float((other * volume.grad).sum()) == pytest.approx(float((projected * weights).sum()), rel=1e-9)


def test_rays_along_the_planes_are_refused() -> None:
    with pytest.raises(GeometryError, match="axis 0"):
        Projector(plane(4, 5.0), axis=0, direction=np.array([0.0, 1.0, 0.0])).integrate(torch.ones(4, 4, 4), UNIT)
