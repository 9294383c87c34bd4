"""Values inside masks, organs, location and stage."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK as sitk

from groundglass.core import ConfigurationError, EmptyMaskError, GeometryError, Mask, ontology
from groundglass.measurement.instances import components, is_detected, survives_erosion
from groundglass.measurement.intensity import intensity_of, uptake_of
from groundglass.measurement.itk_grid import to_itk
from groundglass.measurement.lesion import attenuation_measurements, of_kind, shape_measurements, size_measurements
from groundglass.measurement.location import depth_below_surface, pancreas_parts, pole_of, segments_of, side_of
from groundglass.measurement.organ import attenuation_of, is_fatty, measure_organ
from groundglass.measurement.tstage import t_stage, tumour_types, vascular_resectability


def ball(shape, centre, radius, spacing=(1, 1, 1)) -> np.ndarray:
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), -1)
    return np.linalg.norm((grid - centre) * spacing, axis=-1) <= radius


def mask_of(array, spacing=(1.0, 1.0, 1.0)) -> Mask:
    return Mask.of(array, np.diag([*spacing, 1.0]))


def test_statistics_agree_with_simpleitk_and_recorded_pyradiomics() -> None:
    # The same phantom as in test_measurement_size: pyradiomics 3.0.1 first-order features recorded.
    a = 0.5
    turn = np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1.0]])
    shape, spacing = (40, 44, 30), np.array([1.0, 1.0, 2.0])
    grid = np.stack(np.meshgrid(*[np.arange(k) for k in shape], indexing="ij"), -1)
    inside = ((((grid - (np.array(shape) - 1) / 2) * spacing @ turn) / (15.0, 9.0, 20.0)) ** 2).sum(-1) <= 1
    image = np.random.default_rng(3).normal(50, 12, size=shape)
    found = intensity_of(mask_of(inside, spacing), image)
    assert found.mean == pytest.approx(49.957760320977606, rel=1e-9)
    assert found.sd**2 == pytest.approx(138.74257662258123, rel=1e-9)
    assert found.p10 == pytest.approx(34.623715031835545, rel=1e-9)
    assert found.p90 == pytest.approx(64.93309734472302, rel=1e-9)
    assert found.skewness == pytest.approx(-0.010219899298880319, rel=1e-6)
    assert found.kurtosis == pytest.approx(3.0059483838490135, rel=1e-9)
    statistics = sitk.LabelStatisticsImageFilter()
    affine = np.diag([*spacing, 1.0])
    statistics.Execute(to_itk(image, affine), to_itk(inside, affine))
    assert found.mean == pytest.approx(statistics.GetMean(1), rel=1e-9)
    assert found.minimum == statistics.GetMinimum(1) and found.maximum == statistics.GetMaximum(1)
    # SimpleITK divides by n - 1.
    assert found.sd == pytest.approx(statistics.GetSigma(1) * math.sqrt((found.count - 1) / found.count), rel=1e-9)


def test_values_outside_the_grid_or_nowhere_are_refused() -> None:
    mask = mask_of(ball((10, 10, 10), 5, 3))
    with pytest.raises(GeometryError):
        intensity_of(mask, np.zeros((10, 10, 9)))
    with pytest.raises(EmptyMaskError):
        intensity_of(mask, np.full((10, 10, 10), np.nan))


def test_uptake_of_a_sphere_with_a_hot_centre() -> None:
    shape, spacing = (41, 41, 25), (2.0, 2.0, 3.0)
    centre = np.array([20, 20, 12])
    suv = np.where(ball(shape, centre, 8.0, spacing), 10.0, 2.0)
    mask = mask_of(ball(shape, centre, 15.0, spacing), spacing)
    found = uptake_of(mask, suv)
    # The 1 mL sphere (6.2 mm) fits into the hot centre (8 mm).
    assert found.peak == pytest.approx(10.0) and found.maximum == 10.0
    assert found.metabolic_volume == pytest.approx(4 / 3 * math.pi * 15**3 / 1000, rel=0.03)
    assert found.glycolysis == pytest.approx(found.mean * found.metabolic_volume)
    alone = np.zeros((3, 3, 3), dtype=bool)
    alone[1, 1, 1] = True
    assert uptake_of(mask_of(alone, spacing), np.ones((3, 3, 3))).peak is None


def test_components_are_separate_lesions_largest_first() -> None:
    both = ball((40, 40, 40), (10, 10, 10), 4) | ball((40, 40, 40), (28, 28, 28), 7)
    both[36, 36, 36] = both[37, 37, 37] = True
    parts = components(mask_of(both))
    assert len(parts) == 3 and parts[0].voxel_count > parts[1].voxel_count > parts[2].voxel_count
    # Touching corners are one lesion (26-connected).
    assert parts[2].voxel_count == 2
    assert sum(p.voxel_count for p in parts) == both.sum()
    assert not survives_erosion(parts[2]) and survives_erosion(parts[1])


def test_detection_gate() -> None:
    organ = mask_of(ball((50, 50, 50), 25, 20))
    lesion = mask_of(ball((50, 50, 50), 25, 3))
    assert is_detected(lesion, organ=organ, least_mm3=50) and not is_detected(lesion, organ=organ, least_mm3=150)
    assert not is_detected(mask_of(ball((50, 50, 50), (2, 2, 2), 2)), organ=organ, least_mm3=10)


def test_segments_above_a_tenth_and_depth_under_the_capsule() -> None:
    shape = (60, 60, 60)
    organ = ball(shape, 30, 25)
    right = organ.copy()
    right[:30] = False
    left = organ & ~right
    lesion = mask_of(ball(shape, (33, 30, 30), 6))
    segments = {"liver segment 5": mask_of(right), "liver segment 4": mask_of(left)}
    assert segments_of(lesion, segments) == ("liver segment 5", "liver segment 4")
    assert segments_of(mask_of(ball(shape, (38, 30, 30), 6)), segments) == ("liver segment 5",)
    # Centre 3 mm off: 25 - 3 - 6 = 16 mm of liver beside the lesion.
    assert depth_below_surface(lesion, mask_of(organ)) == pytest.approx(16, abs=1.0)
    assert depth_below_surface(mask_of(ball(shape, (50, 30, 30), 6)), mask_of(organ)) == 0.0
    assert side_of(lesion, 30.0) == "right" and side_of(lesion, 40.0) == "left"
    assert side_of(lesion, 32.0, tolerance=2.0) == "midline"


def test_depth_is_found_beyond_the_first_margin() -> None:
    shape = (90, 90, 90)
    assert depth_below_surface(mask_of(ball(shape, 45, 4)), mask_of(ball(shape, 45, 40))) == pytest.approx(36, abs=1.0)
    assert depth_below_surface(mask_of(ball((20, 20, 20), 10, 4)), mask_of(np.ones((20, 20, 20)))) is None


def test_kidney_poles_follow_the_patient_axis() -> None:
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in (40, 40, 80)], indexing="ij"), -1)
    kidney = mask_of((((grid - (20, 20, 40)) / (12, 10, 32)) ** 2).sum(-1) <= 1)
    assert pole_of(mask_of(ball((40, 40, 80), (20, 20, 64), 4)), kidney) == "upper pole"
    assert pole_of(mask_of(ball((40, 40, 80), (20, 20, 41), 4)), kidney) == "interpolar region"
    assert pole_of(mask_of(ball((40, 40, 80), (20, 20, 15), 4)), kidney) == "lower pole"


def test_pancreas_parts_split_at_the_artery() -> None:
    shape = (120, 60, 40)
    pancreas = np.zeros(shape, dtype=bool)
    pancreas[10:110, 25:35, 15:25] = True
    artery = np.zeros(shape, dtype=bool)
    artery[78:82, 40:44, :] = True
    parts = pancreas_parts(mask_of(pancreas), mask_of(artery))
    # RAS+: the head is on the patient's right, x above the artery at 79.5; the rest (10 to 79) is halved.
    assert parts["head"].box.start[0] == 80 and parts["head"].box.stop[0] == 110
    assert abs(parts["body"].voxel_count - parts["tail"].voxel_count) <= 200
    assert parts["tail"].box.start[0] == 10
    assert sum(p.voxel_count for p in parts.values()) == pancreas.sum()


def test_organ_volume_border_rule_and_parenchyma_without_lesion() -> None:
    shape, spacing = (70, 70, 70), (1.5, 1.5, 1.5)
    organ, lesion = ball(shape, 35, 45, spacing), ball(shape, 35, 12, spacing)
    hu = np.where(lesion, 20.0, np.where(organ, 100.0, -100.0)) + np.random.default_rng(0).normal(0, 10, shape)
    found = measure_organ("spleen", mask_of(organ & ~lesion, spacing), hu, [mask_of(lesion, spacing)])
    assert found.volume == pytest.approx(4 / 3 * math.pi * 4.5**3, rel=0.02)
    assert found.size == "enlarged" and "Prassopoulos" in found.source
    assert found.parenchyma is not None and found.parenchyma.mean == pytest.approx(100, abs=1)
    assert attenuation_of(intensity_of(mask_of(lesion, spacing), hu), found.parenchyma) == "hypoattenuating"
    cut = measure_organ("spleen", mask_of(ball(shape, (5, 35, 35), 30, spacing), spacing), hu)
    assert cut.volume is None and cut.size is None and cut.measured_volume > 0


def test_fatty_liver_is_only_said_on_a_plain_scan() -> None:
    hu = np.full((20, 20, 20), 35.0)
    liver = intensity_of(mask_of(ball((20, 20, 20), 10, 6)), hu)
    assert is_fatty("liver", liver, phase="plain") is True
    assert is_fatty("liver", liver, phase="portal venous") is None
    assert is_fatty("pancreas", liver, phase="plain") is None


@pytest.mark.parametrize(
    ("mm", "category"), [(5, "T1a"), (5.1, "T1b"), (10, "T1b"), (20, "T1c"), (40, "T2"), (40.1, "T3")]
)
def test_pancreatic_cancer_by_size(mm, category) -> None:
    assert t_stage("pancreatic ductal adenocarcinoma", mm, {}).category == category


def test_stage_rules_by_contact_and_their_gaps() -> None:
    contacts = {"superior mesenteric artery": 190.0, "celiac trunk": 0.0, "common hepatic artery": 0.0}
    stage = t_stage("pancreatic ductal adenocarcinoma", 15, contacts)
    assert stage.category == "T4" and "superior mesenteric artery" in stage.reason and not stage.not_assessed
    assert (
        t_stage("pancreatic ductal adenocarcinoma", 15, {**contacts, "superior mesenteric artery": 179.0}).category
        == "T1c"
    )
    # 2.0 cm exactly is T2 for a neuroendocrine tumour (T1 is under 2 cm).
    assert t_stage("pancreatic neuroendocrine tumor", 20, {}).category == "T2"
    assert t_stage("pancreatic neuroendocrine tumor", 15, {"duodenum": 20.0}).category == "T3"
    assert t_stage("pancreatic neuroendocrine tumor", 15, {"stomach": 20.0}).category == "T4"
    assert t_stage("renal cell carcinoma", 71, {}).category == "T2a"
    assert "renal vein" in t_stage("renal cell carcinoma", 71, {}).not_assessed
    assert t_stage("hepatocellular carcinoma", 51, {}, count=2).category == "T3"
    with pytest.raises(ConfigurationError):
        t_stage("hepatic lesion", 10, {})


def test_every_structure_of_the_stage_rules_is_a_term() -> None:
    for tumour, rule in tumour_types().items():
        names = [tumour, *rule["needs"]]
        for kind in ("encased", "touched"):
            names += [n for group in rule.get(kind, {}).values() for n in group]
        assert all(ontology()[n] for n in names)


def test_resectability_depends_on_the_part() -> None:
    free = {"superior mesenteric artery": 0.0, "celiac trunk": 0.0}
    assert vascular_resectability("head", free).verdict == "resectable"
    assert vascular_resectability("head", {**free, "superior mesenteric artery": 90}).verdict == "borderline resectable"
    assert vascular_resectability("head", {**free, "celiac trunk": 20}).verdict == "unresectable"
    assert vascular_resectability("tail", {**free, "celiac trunk": 20}).verdict == "borderline resectable"
    assert vascular_resectability("body", {**free, "superior mesenteric artery": 181}).verdict == "unresectable"
    assert vascular_resectability("body", {"portal vein": 20}) is None


def test_lesion_measurements_are_of_the_ontology() -> None:
    shape = (30, 30, 30)
    mask = mask_of(ball(shape, 15, 8))
    found = (*size_measurements(mask), *shape_measurements(mask), *attenuation_measurements(mask, np.full(shape, 42.0)))
    assert of_kind(found, "volume").value == pytest.approx(4 / 3 * math.pi * 0.512, rel=0.02)
    assert of_kind(found, "mean attenuation").value == 42.0
    assert all(ontology().of_code(m.kind.code, m.kind.scheme) == m.kind for m in found)
    with pytest.raises(KeyError):
        of_kind(found, "SUVmax")
