"""MR phantoms of head and spine: physics against closed forms, exact shapes, re-measured sizes, replay, words."""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np
import pytest
from scipy import ndimage as ndi

from groundglass.core import ConfigurationError
from groundglass.measurement import size_measurements
from groundglass.synthesis import Phantom, Plant, make_phantom, phantom_series
from groundglass.synthesis.phantoms import agreement_of, sketch_report
from groundglass.synthesis.phantoms.brain_maps import BrainMaps, maps_of
from groundglass.synthesis.phantoms.canvas import Canvas
from groundglass.synthesis.phantoms.kind import Case
from groundglass.synthesis.phantoms.mr_physics import SUBSTANCES, Sequence, Substance, nulling
from groundglass.synthesis.phantoms.mr_scene import MrScene, apparent_diffusion
from groundglass.synthesis.phantoms.planted import VISIBLE
from groundglass.synthesis.phantoms.spine_anatomy import BACK, level_names, random_column

BRAIN, SPINE = (60, 72, 52), (15, 96, 128)


@cache
def onion() -> BrainMaps:
    """A brain made by hand: ellipsoids of grey matter, white matter and ventricle, 1 mm, in MNI space."""
    origin = np.array([-92.0, -122.0, -82.0])
    x, y, z = np.meshgrid(*(o + np.arange(n) for o, n in zip(origin, (185, 211, 178), strict=True)), indexing="ij")
    reach = np.sqrt((x / 66) ** 2 + ((y + 16) / 84) ** 2 + ((z - 6) / 62) ** 2)
    ventricle = ((np.abs(x) - 12) / 8) ** 2 + ((y + 10) / 30) ** 2 + ((z - 14) / 9) ** 2 < 1
    nuclei = ((np.abs(x) - 25) / 6) ** 2 + (y / 16) ** 2 + ((z - 4) / 10) ** 2 < 1
    white = ((reach < 0.86) & ~ventricle & ~nuclei).astype(np.float32)
    grey = (((reach >= 0.86) & (reach < 0.97)) | nuclei).astype(np.float32)
    brain = reach < 1
    fluid = np.where(brain, 1 - grey - white, 0).astype(np.float32)
    return maps_of(grey, white, fluid, brain, nuclei, ventricle, origin)


def brain(seed: int, plants: list[Plant], **options: object) -> Phantom:
    options.setdefault("shape", BRAIN)
    return make_phantom("brain-mr", seed, plants=plants, maps=onion(), **options)


def spine(seed: int, plants: list[Plant], **options: object) -> Phantom:
    options.setdefault("shape", SPINE)
    options.setdefault("region", "lumbar")
    return make_phantom("spine-mr", seed, plants=plants, **options)


def mean(phantom: Phantom, name: str, mask: np.ndarray) -> float:  # type: ignore[type-arg]
    return float(next(i for i in phantom.images if i.name.endswith(name)).array[0][mask].mean())


def test_signals_are_those_of_the_closed_forms() -> None:
    one = Substance(0.8, 1000.0, 100.0, 0.7, uptake=0.5)
    assert Sequence("", 1000, 100).signal(one) == pytest.approx(0.8 * (1 - np.exp(-1)) * np.exp(-1))
    weighted, plain = Sequence("", 6000, 80, b=1000).signal(one), Sequence("", 6000, 80).signal(one)
    assert np.log(plain / weighted) == pytest.approx(0.7)
    # 1/T1 grows by r1 C: 1 + 4 * 0.5 = 3 per second.
    assert Sequence("", 1000, 0, enhanced=True).signal(one) == pytest.approx(0.8 * (1 - np.exp(-3)))
    water, fat = SUBSTANCES["cerebrospinal fluid"], SUBSTANCES["fat"]
    assert Sequence("", 9000, 120, ti=nulling(water, 9000)).signal(water) == pytest.approx(0, abs=1e-12)
    assert Sequence("", 4500, 48, ti=nulling(fat, 4500)).signal(fat) == pytest.approx(0, abs=1e-12)


def test_noise_is_rician_and_thick_slices_average_the_signal() -> None:
    pulses = (Sequence("T2", 5000, 95),)
    scene = MrScene(Canvas((40, 40, 12), (1.0, 1.0, 5.0), (0.0, 0.0, 0.0)), pulses, np.array([0.02]))
    assert scene.parts == (1, 1, 5)
    empty = scene.scanned(np.random.default_rng(0), 0.0)[0]
    # Rayleigh: mean sigma sqrt(pi / 2), second moment 2 sigma^2.
    assert empty.mean() == pytest.approx(0.02 * np.sqrt(np.pi / 2), rel=0.02)
    assert (empty**2).mean() == pytest.approx(2 * 0.02**2, rel=0.03)
    scene.values[:, :, :, 2:4] = 1.0  # two of the five parts of the first slice, centred at its third
    assert scene.scanned(np.random.default_rng(0), 0.0)[0, :, :, 0].mean() == pytest.approx(0.4, abs=0.003)
    plain, weighted = np.full(5, 0.9, np.float32), np.full(5, 0.9 * np.exp(-0.6), np.float32)
    assert apparent_diffusion(plain, weighted, b=1000, floor=0.01) == pytest.approx(np.full(5, 0.6), abs=1e-5)


def test_volumes_of_lesions_converge_with_the_grid() -> None:
    gaps: dict[str, list[float]] = {"brain": [], "spine": []}
    for count in (1, 2):
        head = brain(
            3, [Plant("tumour", "left", "frontal lobe", size=30, key=5)], shape=(40 * count, 48 * count, 36 * count)
        )
        back = spine(3, [Plant("disc herniation", size=8, key=5)], shape=(12 * count, 80 * count, 112 * count))
        for kind, phantom in (("brain", head), ("spine", back)):
            finding = phantom.findings[0]
            stated, mask = finding.measurement("volume"), finding.where.mask
            assert stated is not None and mask is not None
            measured = {m.kind.name: m.value for m in size_measurements(mask)}["volume"]
            gaps[kind].append(abs(measured / stated.value - 1))
    assert gaps["brain"][0] < 0.06 and gaps["brain"][1] < 0.015
    assert gaps["spine"][0] < 0.25 and gaps["spine"][1] < 0.08


def test_sizes_are_measured_again_on_the_masks() -> None:
    plants = [
        Plant("haemorrhage", "right", "parietal lobe", size=26, key=2),
        Plant("white matter lesion", size=12, key=3),
    ]
    phantom = brain(2, plants)
    for finding in phantom.findings:
        assert finding.where.mask is not None and finding.where.side is not None
        measured = {m.kind.name: m.value for m in size_measurements(finding.where.mask)}
        for name in ("long axis", "short axis"):
            stated = finding.measurement(name)
            assert stated is not None
            assert measured[name] == pytest.approx(stated.value, abs=1.3 * max(phantom.image.spacing))
        x = phantom.image.affine @ [*finding.where.points[0].points[0], 1]
        assert (x[0] > 0) == (finding.where.side == "right")


def test_a_fresh_infarct_is_bright_on_diffusion_by_its_low_adc_and_an_old_one_by_its_t2() -> None:
    seen = set()
    for key in range(9):
        phantom = brain(4, [Plant("stroke", "left", "middle cerebral artery territory", size=40, key=key)], noise=0.01)
        finding, mask = phantom.findings[0], phantom.findings[0].where.mask
        assert mask is not None and finding.where.side == "left"
        age = str(finding.attribute("acuity"))
        if age in seen:
            continue
        seen.add(age)
        whole = phantom.structures["white matter"].array & ~mask.array
        core = phantom.structures["infarct"].array & phantom.structures["white matter"].array
        adc = mean(phantom, "ADC", core) / mean(phantom, "ADC", whole)
        flair = mean(phantom, "FLAIR", core) / mean(phantom, "FLAIR", whole)
        expected = {"hyperacute": 0.55, "acute": 0.5, "subacute": 0.75, "chronic": 2.0}[age]
        assert adc == pytest.approx(expected, rel=0.08)
        assert (flair < 1.1) == (age == "hyperacute")
        stated = finding.measurement("volume")
        assert stated is not None
        assert mask.voxel_count * np.prod(phantom.image.spacing) / 1000 == pytest.approx(stated.value, rel=0.05)
    assert len(seen) >= 3


def test_tumours_enhance_and_ventricles_widen() -> None:
    tumours = (brain(5, [Plant("tumour", "right", "frontal lobe", size=34, key=key)]) for key in range(9))
    phantom = next(p for p in tumours if p.findings[0].attribute("enhancement") == "ring")
    rim, core = phantom.structures["enhancing tumour"].array, phantom.structures["necrosis"].array
    assert mean(phantom, "T1c", rim) > 1.3 * mean(phantom, "T1", rim)
    # Away from the rim, with which the outer voxels mix.
    core = ndi.binary_erosion(core)
    assert core.sum() > 20
    assert mean(phantom, "T1c", core) == pytest.approx(mean(phantom, "T1", core), rel=0.1)
    assert "oedema" in phantom.structures
    wide, usual = brain(6, [Plant("hydrocephalus", extent=0.8)]), brain(6, [])
    stated, mask = wide.findings[0].measurement("volume"), wide.findings[0].where.mask
    assert stated is not None and mask is not None and not usual.findings
    assert stated.value > 2 * float(usual.facts["ventricle volume"])
    assert mask.voxel_count * np.prod(wide.image.spacing) / 1000 == pytest.approx(stated.value, rel=0.03)


def test_a_stenosis_and_a_crushed_vertebra_are_as_stated() -> None:
    plants = [
        Plant("stenosis", place="L3-L4", extent=0.5, key=2),
        Plant("compression fracture", place="L1", extent=0.4, key=1),
    ]
    phantom = spine(7, plants, shape=(15, 176, 256))
    narrow, crushed = phantom.findings
    assert narrow.where.anatomy is not None and narrow.where.anatomy.name == "L3-L4 disc"
    stated, mask = narrow.measurement("spinal canal diameter"), narrow.where.mask
    assert stated is not None and mask is not None
    sac = phantom.structures["thecal sac"].array | phantom.structures["spinal cord"].array
    middle = [round(v) for v in narrow.where.points[0].points[0]]
    rows = [int(sac[middle[0], :, k].sum()) for k in range(middle[2] - 3, middle[2] + 4)]
    assert min(rows) * phantom.image.spacing[1] == pytest.approx(stated.value, abs=1.6 * phantom.image.spacing[1])
    loss, body = crushed.measurement("vertebral height loss"), crushed.where.mask
    assert loss is not None and loss.value == pytest.approx(40) and body is not None
    usual = spine(7, [], shape=(15, 176, 256)).structures["L1 vertebra"]
    assert body.voxel_count < usual.voxel_count


def test_a_herniation_reaches_as_far_behind_its_disc_as_stated() -> None:
    phantom = spine(7, [Plant("disc herniation", "left", "L4-L5", size=8, key=1)], shape=(31, 176, 256))
    finding, mask = phantom.findings[0], phantom.findings[0].where.mask
    disc = random_column(Case("spine-mr", 7, 0).patient("anatomy")).level("L4-L5 disc")
    assert mask is not None
    ras = np.argwhere(mask.array) @ phantom.image.affine[:3, :3].T + phantom.image.affine[:3, 3]
    left, ahead, _ = disc.local(*(ras * [-1, 1, 1]).T.astype(np.float32))
    depth, stated = -ahead.min() - BACK * disc.half_depth, finding.measurement("herniation depth")
    assert stated is not None and depth == pytest.approx(stated.value, abs=phantom.image.spacing[1])
    assert left.mean() > 3 and ahead.max() < -BACK * disc.half_depth


@pytest.mark.parametrize(
    ("variant", "levels", "last"), [("usual", 25, "L5"), ("T13", 26, "L5"), ("L6", 26, "L6"), ("L4", 24, "L4")]
)
def test_levels_and_centroids_of_the_variants(variant: str, levels: int, last: str) -> None:
    names = level_names(variant)  # type: ignore[arg-type]
    assert len(names) == levels and names[-2:] == (last, "S1")
    phantom = spine(8, [], variant=variant)
    assert f"{last}-S1 disc" in phantom.structures
    for name, point in phantom.landmarks.items():
        mask = phantom.structures[f"{name.split()[0]} vertebra"]
        assert mask.array[tuple(np.rint(point).astype(int))], name
    heights = [point[2] for point in phantom.landmarks.values()]
    assert heights == sorted(heights, reverse=True)
    column = random_column(np.random.default_rng(1), variant=variant)  # type: ignore[arg-type]
    assert column.conus_level in ("T12", "T13", "L1", "L2")


def test_everything_drawn_is_seen_and_replays_to_the_byte() -> None:
    def digest(phantom: Phantom) -> str:
        return hashlib.sha256(b"".join(i.array.tobytes() for i in phantom.images)).hexdigest()

    for index in range(4):
        head, back = (
            make_phantom("brain-mr", 6, index, shape=BRAIN, maps=onion()),
            make_phantom("spine-mr", 6, index, shape=SPINE),
        )
        for phantom in (head, back):
            ratios = [float(v) for k, v in phantom.facts.items() if k.endswith("contrast to noise")]
            assert all(v >= VISIBLE for v in ratios)
            assert {f.where.image for f in phantom.findings} <= {i.name for i in phantom.images}
            for finding in phantom.findings:
                assert finding.where.mask is not None and finding.where.box == finding.where.mask.box
    assert digest(back) == digest(make_phantom("spine-mr", 6, 3, shape=SPINE))
    assert digest(head) == digest(make_phantom("brain-mr", 6, 3, shape=BRAIN, maps=onion()))


def test_visits_keep_the_person() -> None:
    series = phantom_series("spine-mr", 5, 1, visits=2, shape=SPINE)
    assert series[1].prior is series[0] and series[0].structures.keys() & series[1].structures.keys()
    assert series[0].landmarks == series[1].landmarks


@pytest.mark.parametrize("kind", ["brain-mr", "spine-mr"])
def test_the_reader_gives_back_what_the_reports_state(kind: str) -> None:
    found = missed = extra = sizes = right = 0
    for index in range(200):
        agreed = agreement_of(sketch_report(kind, 12, index))
        found, missed, extra = found + agreed.found, missed + len(agreed.missed), extra + len(agreed.extra)
        sizes, right = sizes + agreed.sizes, right + agreed.sizes_right
    assert found > 400 and min(found / (found + extra), found / (found + missed)) >= 0.98
    assert right >= 0.98 * sizes


def test_what_cannot_be_is_refused() -> None:
    for call in (
        lambda: brain(1, [Plant("nodule")]),
        lambda: brain(1, [Plant("tumour", size=140.0)]),
        lambda: brain(1, [], sequences=["T3"]),
        lambda: brain(1, [], noise=-1.0),
        lambda: spine(1, [], region="thigh"),
        lambda: spine(1, [], variant="L7"),
        lambda: spine(1, [Plant("stenosis", place="C4-C5", extent=0.4)]),
    ):
        with pytest.raises(ConfigurationError):
            call()


def test_the_template_is_asked_for_by_name_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    from groundglass.synthesis.phantoms.brain_maps import brain_maps

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "nilearn" else real(name, *a))
    brain_maps.cache_clear()
    with pytest.raises(ConfigurationError, match="nilearn"):
        make_phantom("brain-mr", 1, shape=BRAIN)
