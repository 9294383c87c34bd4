"""The vocabulary: imports light, masks, boxes, errors, units, lazy images."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import groundglass.core
from groundglass.core import (
    Box,
    ConfigurationError,
    EmptyMaskError,
    Finding,
    GeometryError,
    GroundglassError,
    Image,
    Line,
    Location,
    Mask,
    Measurement,
    ModelCitation,
    Reading,
    Report,
    Section,
    Sentence,
    Study,
    Term,
    errors,
    ontology,
)
from groundglass.core.units import UNITS, convert


def test_core_imports_no_heavy_package_and_is_quick() -> None:
    code = (
        "import sys, groundglass.core; groundglass.core.ontology();"
        "bad = {'torch', 'monai', 'transformers', 'pydicom', 'highdicom', 'nibabel', 'SimpleITK', 'scipy'};"
        "sys.exit(', '.join(bad & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    bare = min(_seconds("import numpy") for _ in range(3))
    ours = min(_seconds("import groundglass.core") for _ in range(3))
    # On top of numpy and the interpreter; under 0.1 s on an idle machine.
    assert ours - bare < 0.3


def _seconds(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def test_box() -> None:
    box = Box((1, 2), (4, 2))
    assert (box.shape, box.centre) == ((3, 0), (2.0, 1.5))
    assert np.zeros((9, 9))[box.slices].shape == (3, 0)
    for start, stop in (((2,), (1,)), ((0, 0), (1,))):
        with pytest.raises(GeometryError):
            Box(start, stop)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.integers(0, 99), st.sampled_from([0.0, 0.1, 1.0]))
def test_mask_is_its_array(shape: list[int], seed: int, density: float) -> None:
    array = np.random.default_rng(seed).random(shape) < density
    mask = Mask.of(array, np.eye(4))
    np.testing.assert_array_equal(mask.array, array)
    assert mask.voxel_count == array.sum()
    assert mask.is_empty == (not array.any())
    assert mask.shape == array.shape
    if not mask.is_empty:
        where = np.argwhere(array)
        assert mask.box == Box(tuple(where.min(axis=0)), tuple(where.max(axis=0) + 1))
        assert mask.array[mask.box.slices].shape == mask.crop.shape


def test_mask_equality_and_emptiness() -> None:
    array = np.zeros((4, 5, 6), bool)
    empty = Mask.of(array, np.eye(4))
    array[1, 2, 3] = True
    one = Mask.of(array, np.eye(4))
    assert one == Mask.of(array, np.eye(4))
    assert hash(one) == hash(Mask.of(array, np.eye(4)))
    assert one != empty
    assert one != Mask.of(array, 2 * np.eye(4))
    assert one != "mask"
    with pytest.raises(EmptyMaskError, match="has no voxel"):
        _ = empty.box
    assert not empty.array.any()


@pytest.mark.parametrize(
    "kind",
    [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, GroundglassError)],
    ids=lambda k: k.__name__,
)
def test_errors_survive_pickling(kind: type[GroundglassError]) -> None:
    error = kind(Path("a.nii"), "is broken", "Mend it.")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert (back.input_name, back.problem, back.remedy) == ("a.nii", "is broken", "Mend it.")
    assert str(back) == "a.nii: is broken. Mend it."
    assert "\n" not in str(back)


def test_units() -> None:
    assert convert(1, "mL", "mm3") == 1000
    assert convert(2.5, "cm", "mm") == 25
    assert convert(50, "%", "1") == 0.5
    assert convert(3, "s", "ms") == 3000
    for unit, (dimension, factor, meaning) in UNITS.items():
        assert factor > 0
        assert dimension
        assert meaning
        assert convert(convert(7.0, unit, unit), unit, unit) == pytest.approx(7.0)
    with pytest.raises(ConfigurationError, match="is a length, mL a volume"):
        convert(1, "mm", "mL")
    with pytest.raises(ConfigurationError, match="is not a unit"):
        convert(1, "mm", "furlong")


def test_ucum_units_are_those_of_dicom() -> None:
    from pydicom.sr._concepts_dict import concepts

    published = {code for codes in concepts["UCUM"].values() for code in codes}
    own = {"g/mL{SUVbw}", "{pixels}", "{count}", "%", "mL", "L", "cm2", "mm2", "mm3"}
    assert {u for u in UNITS if u not in published} <= own


def test_image_is_lazy_and_loads_once() -> None:
    calls = []

    def load() -> np.ndarray:
        calls.append(1)
        return np.zeros((1, 2, 3, 4))

    image = Image("a", (2, 3, 4), np.diag([1.0, 2.0, 3.0, 1.0]), load)
    assert image.spacing == (1.0, 2.0, 3.0)
    assert image.is_volume
    assert "load" not in repr(image)
    assert calls == []
    assert image.array.shape == (1, 2, 3, 4)
    assert image.array is image.array
    assert calls == [1]
    other = image.with_pixels(np.ones((2, 2, 3, 4)), name="b")
    assert (other.name, other.channels, other.array.sum()) == ("b", 2, 48)
    np.testing.assert_array_equal(other.affine, image.affine)


def test_image_refuses_geometry_and_pixels_that_do_not_fit() -> None:
    for affine in (np.zeros((4, 4)), np.full((4, 4), np.nan), np.eye(3)):
        with pytest.raises(GeometryError):
            Image("a", (2, 2), affine, lambda: np.zeros((1, 2, 2)))
    with pytest.raises(GeometryError, match="the header says"):
        _ = Image("a", (2, 2), np.eye(4), lambda: np.zeros((1, 2, 3))).array


def test_image_of_an_array() -> None:
    flat = Image.of(np.zeros((5, 6)))
    assert (flat.shape, flat.channels, flat.spacing_known, flat.orientation_known) == ((5, 6), 1, False, False)
    colour = Image.of(np.zeros((3, 5, 6)), np.eye(4), channels=3, modality="XC")
    assert (colour.shape, colour.channels, colour.spacing_known, colour.modality) == ((5, 6), 3, True, "XC")
    video = Image("v", (7, 5, 6), np.diag([2.0, 3.0, 1.0, 1.0]), lambda: np.zeros((1, 7, 5, 6)), time_axis=0)
    assert video.spacing == (1.0, 2.0, 3.0)
    assert not video.is_volume
    study = Study((flat, colour))
    assert study.of_modality("XC", "DX") == (colour,)


def test_findings_are_found_by_kind_and_id() -> None:
    volume = Measurement(ontology()["volume"], 12.0, "mL", low=1.0, high=10.0)
    finding = Finding("f1", Term("1", "X", "a"), measurements=(volume,), where=Location(points=(Line(((1.0,),)),)))
    assert finding.measurement("VOLUME") is volume
    assert finding.measurement("mass") is None
    assert volume.is_outside_range
    assert not Measurement(volume.kind, 1.0, "mL", low=1.0).is_outside_range
    assert finding.attribute("severity") is None
    report = Report((Section("findings", (Sentence("A.", ("f1",)),), "Findings"),), (finding,), title="T")
    assert report.finding("f1") is finding
    assert report.finding("f2") is None
    assert report.section("impression") is None
    assert report.text == f"T\n\nFINDINGS\nA.\n\n{report.notice}\n"
    one = Reading((finding,), ("bones",), ("noise",), (ModelCitation("m", "1"),))
    both = one + Reading((), ("bones", "skin"), ("noise",), (ModelCitation("m", "1"),))
    assert (both.not_assessed, both.warnings, both.models) == (
        ("bones", "skin"),
        ("noise",),
        (ModelCitation("m", "1"),),
    )


def test_everything_public_is_exported() -> None:
    for name in groundglass.core.__all__:
        assert getattr(groundglass.core, name) is not None
