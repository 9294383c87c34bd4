"""The physics of the phantoms against closed forms: CT noise, PET recovery, counts, speckle, branching."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erf

from groundglass.synthesis import Plant, make_phantom
from groundglass.synthesis.phantoms.canvas import Canvas, Scene
from groundglass.synthesis.phantoms.ct_noise import SHARPNESS, ct_noise
from groundglass.synthesis.phantoms.flat import shot_noise
from groundglass.synthesis.phantoms.petct import _acquired
from groundglass.synthesis.phantoms.retina import Vessel
from groundglass.synthesis.phantoms.trees import tree
from groundglass.synthesis.phantoms.ultrasound import speckle


def test_ct_noise_has_its_deviation_and_the_spectrum_of_the_ramp() -> None:
    canvas = Canvas.covering((-64, -64, -20), (64, 64, 20), (128, 128, 20))
    noise = ct_noise(np.random.default_rng(0), canvas, 14.0)
    assert noise.std() == pytest.approx(14.0, rel=0.02) and abs(noise.mean()) < 0.2
    power = (np.abs(np.fft.fft2(noise, axes=(0, 1))) ** 2).mean(axis=2)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(128, 1.0), np.fft.fftfreq(128, 1.0)))
    bins = np.digitize(frequency, np.arange(0.02, 0.5, 0.02))
    radial = np.array([power[bins == b].mean() for b in range(1, 24)])
    middle = np.arange(0.03, 0.49, 0.02)
    assert middle[radial.argmax()] == pytest.approx(SHARPNESS / np.sqrt(2), abs=0.04)
    expected = (middle * np.exp(-((middle / SHARPNESS) ** 2)) + 0.02 * np.hypot(0.5, 0.5)) * np.sinc(middle) ** 2
    assert np.corrcoef(radial, expected)[0, 1] > 0.99


@pytest.mark.parametrize("radius", [5.0, 10.0, 20.0])
def test_pet_shows_a_sphere_as_the_closed_form_of_its_point_spread(radius: float) -> None:
    """Centre of a sphere under a Gaussian: erf(u) - 2 u exp(-u^2) / sqrt(pi), u = R / (sigma sqrt 2)."""
    canvas = Canvas.covering((-48, -48, -48), (48, 48, 48), (49, 49, 49))
    scene = Scene(canvas, 0.0)
    x, y, z = canvas.coordinates(canvas.whole)
    scene.paint(canvas.whole, np.sqrt(x**2 + y**2 + z**2) - np.float32(radius), 1.0)
    shown = _acquired(np.random.default_rng(0), canvas, scene.values, 7.0, 1e6)
    u = radius / (7.0 / np.sqrt(8 * np.log(2)) * np.sqrt(2))
    expected = erf(u) - 2 * u * np.exp(-(u**2)) / np.sqrt(np.pi)
    # Voxels of 2 mm widen the sphere's edge a little.
    assert shown[24, 24, 24] == pytest.approx(expected, rel=0.02)
    assert shown.sum() * canvas.voxel_ml == pytest.approx(4 / 3 * np.pi * (radius / 10) ** 3, rel=0.03)


def test_pet_is_unbiased_and_its_variance_falls_with_the_counts() -> None:
    canvas = Canvas.covering((-64, -64, -64), (64, 64, 64), (32, 32, 32))
    even = np.full(canvas.shape, 2.2, dtype=np.float32)
    few, many = (_acquired(np.random.default_rng(1), canvas, even, 6.0, rate)[4:-4, 4:-4, 4:-4] for rate in (8.0, 32.0))
    assert few.mean() == pytest.approx(2.2, rel=0.005) and many.mean() == pytest.approx(2.2, rel=0.005)
    assert few.var() / many.var() == pytest.approx(4.0, rel=0.1)


def test_suv_of_a_lesion_is_what_its_mask_measures() -> None:
    from groundglass.measurement import uptake_of

    phantom = make_phantom("petct", 2, plants=[Plant("node", size=24.0, key=1)], shape=(80, 80, 128), ct_shape=None)
    finding = phantom.findings[0]
    mask, stated = finding.where.mask, finding.measurement("SUVmax")
    assert mask is not None and stated is not None
    assert uptake_of(mask, phantom.image.array[0]).maximum == pytest.approx(stated.value)
    slice_of_maximum = np.unravel_index((phantom.image.array[0] * mask.array).argmax(), mask.shape)[2]
    assert finding.attribute("image") == str(mask.shape[2] - slice_of_maximum)


def test_fully_developed_speckle_follows_rayleigh() -> None:
    envelope = speckle(np.random.default_rng(0), np.ones((256, 256), dtype=np.float32), 0.1, 8.0)
    assert envelope.mean() / envelope.std() == pytest.approx(np.sqrt(np.pi / (4 - np.pi)), abs=0.06)
    # Intensity is exponential: its deviation is its mean.
    intensity = envelope**2
    assert intensity.std() / intensity.mean() == pytest.approx(1.0, abs=0.06)


def test_a_cyst_is_bright_behind_and_a_mass_throws_a_shadow() -> None:
    for name, sign in (("cyst", 1), ("mass", -1)):
        phantom = make_phantom("ultrasound", 3, plants=[Plant(name, size=16.0, key=2)])
        box = phantom.findings[0].where.box
        assert box is not None
        picture = phantom.image.array[0].astype(float)
        below = slice(box.stop[0] + 6, box.stop[0] + 40)
        middle = (box.start[1] + box.stop[1]) // 2
        behind = picture[below, middle - 12 : middle + 12].mean()
        beside = np.concatenate(
            [picture[below, : box.start[1] - 20].ravel(), picture[below, box.stop[1] + 20 :].ravel()]
        ).mean()
        assert sign * (behind - beside) > 8


def test_light_through_cells_is_counted_with_poisson_noise() -> None:
    counted = shot_noise(np.random.default_rng(0), np.full((200, 200), 0.5, dtype=np.float32), 4000.0, read=0.0)
    assert counted.mean() == pytest.approx(0.5, rel=2e-3)
    assert counted.std() == pytest.approx(np.sqrt(0.5 / 4000), rel=0.03)


def test_trees_obey_murray() -> None:
    rng = np.random.default_rng(0)
    made = tree(np.zeros(3), rng.uniform(-50, 50, (64, 3)), rng, leaf_radius=0.6, exponent=3.0)
    children: dict[tuple[float, ...], list[float]] = {}
    for start, radius in zip(made.start, made.start_radius, strict=True):
        children.setdefault(tuple(start), []).append(radius)
    for end, radius in zip(made.end, made.end_radius, strict=True):
        if tuple(end) in children:
            assert sum(r**3 for r in children[tuple(end)]) == pytest.approx(radius**3)
    assert sum(r**3 for r in children[(0.0, 0.0, 0.0)]) == pytest.approx(64 * 0.6**3)


def test_arc_over_chord_of_known_curves() -> None:
    turn = np.linspace(0, np.pi, 400)
    half = Vessel("vein", 500 * np.stack([np.sin(turn), np.cos(turn)], axis=1), 80.0)
    line = Vessel("artery", np.array([[0.0, 0.0], [10.0, 30.0]]), 60.0)
    assert half.tortuosity == pytest.approx(np.pi / 2, rel=1e-3) and line.tortuosity == 1.0


def test_wound_fundus_vessels_are_wound() -> None:
    values = [float(make_phantom("retina", 1, 0, size=64, tortuosity=w).facts["tortuosity"]) for w in (0.0, 0.4, 0.8)]
    assert values[0] < values[1] < values[2]
