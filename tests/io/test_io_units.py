"""What values and lengths mean: SUV, radiograph spacing, inverted greys, palettes, pictures, video."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from dicom_factory import slice_of
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import DigitalXRayImageStorageForPresentation

from groundglass.core import Image, UnsupportedError
from groundglass.io import read_image

SUV = "g/mL{SUVbw}"
HALF_LIFE = 6586.2
DOSE = 3.7e8
WEIGHT = 70.0


def _pet(tmp_path: Path, tracer: dict[str, Any] | None = None, **values: Any) -> Image:
    pixels = np.full((6, 5), 200, dtype=np.int16)
    facts = {
        "Modality": "PT", "Units": "BQML", "DecayCorrection": "START", "CorrectedImage": ["ATTN", "DECY"],
        "SeriesDate": "20260102", "SeriesTime": "110000", "AcquisitionDate": "20260102", "AcquisitionTime": "110000",
        "PatientWeight": WEIGHT, "RescaleSlope": 25.0, "RescaleIntercept": 0,
    }  # fmt: skip
    made = slice_of(pixels, (0.0, 0.0, 0.0), **{**facts, **values})
    item = Dataset()
    injected = {"RadionuclideTotalDose": DOSE, "RadionuclideHalfLife": HALF_LIFE}
    for keyword, value in {**injected, "RadiopharmaceuticalStartTime": "100000", **(tracer or {})}.items():
        setattr(item, keyword, value)
    made.RadiopharmaceuticalInformationSequence = DicomSequence([item])
    made.save_as(tmp_path / "pet.dcm", enforce_file_format=True)
    return read_image(tmp_path / "pet.dcm")


def test_suv_with_decay_to_the_start_of_the_scan(tmp_path: Path) -> None:
    image = _pet(tmp_path)
    # 200 * 25 Bq/mL, an hour after the injection.
    expected = 200 * 25 * WEIGHT * 1000 / (DOSE * 2 ** (-3600 / HALF_LIFE))
    assert image.units == SUV
    np.testing.assert_allclose(image.array, expected, rtol=1e-6)
    assert image.warnings == ()


def test_suv_with_decay_to_the_injection(tmp_path: Path) -> None:
    image = _pet(tmp_path, DecayCorrection="ADMIN")
    np.testing.assert_allclose(image.array, 200 * 25 * WEIGHT * 1000 / DOSE, rtol=1e-6)


def test_suv_of_an_injection_before_midnight(tmp_path: Path) -> None:
    early = {"SeriesTime": "001500", "AcquisitionTime": "001500"}
    image = _pet(tmp_path, {"RadiopharmaceuticalStartTime": "231500"}, **early)
    np.testing.assert_allclose(image.array, 5000 * WEIGHT * 1000 / (DOSE * 2 ** (-3600 / HALF_LIFE)), rtol=1e-6)


def test_suv_when_the_series_was_made_after_the_scan(tmp_path: Path) -> None:
    # Bed position two of a scan from 11:00: 600 s later, 180 s long; its mean count rate occurs just before its middle.
    decay = np.log(2) / HALF_LIFE
    mean = np.log(decay * 180 / (1 - np.exp(-decay * 180))) / decay
    image = _pet(
        tmp_path, SeriesTime="153000", AcquisitionTime="111000", FrameReferenceTime=(600 + mean) * 1000,
        ActualFrameDuration=180000,
    )  # fmt: skip
    np.testing.assert_allclose(image.array, 5000 * WEIGHT * 1000 / (DOSE * 2 ** (-3600 / HALF_LIFE)), rtol=1e-5)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"PatientWeight": None}, "no body weight"),
        ({"PatientWeight": 0}, "no body weight"),
        ({"DecayCorrection": "NONE"}, "decay correction NONE"),
        ({"CorrectedImage": ["DECY"]}, "not corrected"),
        ({"Units": "CNTS"}, "counts without a scale factor"),
        ({"Units": "PROPCNTS"}, "unit PROPCNTS"),
        ({"SeriesTime": "095900", "AcquisitionTime": "095900"}, "after the injection"),
    ],
)
def test_pet_that_cannot_be_scaled_stays_and_says_why(tmp_path: Path, values: dict[str, Any], reason: str) -> None:
    image = _pet(tmp_path, {"RadiopharmaceuticalStartDateTime": "20260102100000"}, **values)
    assert image.units != SUV
    np.testing.assert_allclose(image.array, 5000)
    assert any(reason in warning for warning in image.warnings)


def test_philips_counts_have_a_private_factor(tmp_path: Path) -> None:
    pixels = np.full((6, 5), 200, dtype=np.int16)
    made = slice_of(pixels, (0.0, 0.0, 0.0), Modality="PT", Units="CNTS", RescaleSlope=2.0, RescaleIntercept=0)
    made.add_new((0x7053, 0x0010), "LO", "Philips PET Private Group")
    made.add_new((0x7053, 0x1000), "DS", "0.00025")
    made.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    image = read_image(tmp_path / "a.dcm")
    assert image.units == SUV
    np.testing.assert_allclose(image.array, 0.1, rtol=1e-6)


def test_real_pet_in_suv_is_left_as_it_is(data: Path) -> None:
    image = read_image(data / "sarcoma-petct" / "STS_042_dicom" / "PET")
    assert (image.modality, image.units) == ("PT", SUV)
    assert image.shape == (49, 30, 26)
    assert 0.5 < float(image.array.max()) < 60


def _radiograph(tmp_path: Path, **values: Any) -> Image:
    facts = {"Modality": "DX", "SOPClassUID": DigitalXRayImageStorageForPresentation, "PixelSpacing": None,
             "SliceThickness": None, "RescaleIntercept": 0}  # fmt: skip
    pixels = np.arange(30, dtype=np.uint16).reshape(6, 5)
    slice_of(pixels, None, **{**facts, **values}).save_as(tmp_path / "dx.dcm", enforce_file_format=True)
    return read_image(tmp_path / "dx.dcm")


def test_radiograph_spacing_of_the_detector_is_said(tmp_path: Path) -> None:
    image = _radiograph(tmp_path, ImagerPixelSpacing=[0.2, 0.3], ViewPosition="PA", BodyPartExamined="CHEST")
    assert (image.spacing, image.spacing_known) == ((0.2, 0.3), True)
    assert any("larger than in the patient by the magnification" in w for w in image.warnings)
    assert (image.acquisition.view, image.acquisition.body_part) == ("PA", "chest")


def test_radiograph_spacing_that_is_calibrated(tmp_path: Path) -> None:
    image = _radiograph(
        tmp_path, ImagerPixelSpacing=[0.2, 0.2], PixelSpacing=[0.15, 0.15], PixelSpacingCalibrationType="FIDUCIAL"
    )
    assert (image.spacing, image.warnings) == ((0.15, 0.15), ())


def test_radiograph_magnification_is_applied(tmp_path: Path) -> None:
    image = _radiograph(tmp_path, ImagerPixelSpacing=[0.2, 0.2], EstimatedRadiographicMagnificationFactor=1.25)
    np.testing.assert_allclose(image.spacing, (0.16, 0.16))


def test_radiograph_without_spacing_and_with_directions(tmp_path: Path) -> None:
    image = _radiograph(tmp_path, PatientOrientation=["L", "F"], ImageLaterality="B")
    assert (image.spacing_known, image.orientation_known) == (False, True)
    # Columns grow to the patient's left (-x in RAS), rows to the feet (-z).
    np.testing.assert_array_equal(image.affine[:3, :2], [[0, -1], [0, 0], [-1, 0]])
    assert image.acquisition.laterality == "bilateral"


@pytest.mark.parametrize(("kind", "bits", "expected"), [(np.uint16, 12, 4095), (np.uint8, 8, 255)])
def test_monochrome1_is_inverted(tmp_path: Path, kind: type, bits: int, expected: int) -> None:
    pixels = np.arange(30).reshape(6, 5).astype(kind)
    image = _radiograph(
        tmp_path, PhotometricInterpretation="MONOCHROME1", PixelData=pixels.tobytes(), BitsStored=bits,
        BitsAllocated=pixels.itemsize * 8, HighBit=bits - 1,
    )  # fmt: skip
    np.testing.assert_array_equal(image.array[0].astype(int), expected - np.arange(30).reshape(6, 5))


def test_modality_table_is_applied(tmp_path: Path) -> None:
    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType = [30, 0, 16], "OD"
    table.add_new("LUTData", "OW", (1000 + 3 * np.arange(30)).astype("<u2").tobytes())
    image = _radiograph(tmp_path, ModalityLUTSequence=DicomSequence([table]), RescaleSlope=None, RescaleIntercept=None)
    np.testing.assert_array_equal(image.array[0].ravel(), 1000 + 3 * np.arange(30))


def test_sixteen_bit_grey_and_palette_and_alpha(tmp_path: Path) -> None:
    deep = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000
    PIL.Image.fromarray(deep).save(tmp_path / "deep.png")
    PIL.Image.fromarray(deep).save(tmp_path / "deep.tif")
    for name in ("deep.png", "deep.tif"):
        image = read_image(tmp_path / name)
        assert image.array.dtype == np.uint16
        np.testing.assert_array_equal(image.array[0], deep)
        assert (image.spacing_known, image.orientation_known) == (False, False)
    colour = np.zeros((6, 8, 3), dtype=np.uint8)
    colour[2:, :, 0] = 200
    PIL.Image.fromarray(colour).convert("P", palette=PIL.Image.Palette.ADAPTIVE).save(tmp_path / "p.png")
    np.testing.assert_allclose(read_image(tmp_path / "p.png").array, np.moveaxis(colour, -1, 0), atol=2)
    PIL.Image.fromarray(np.dstack([colour, np.full((6, 8), 90, dtype=np.uint8)])).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(image.array, np.moveaxis(colour, -1, 0))
    assert any("transparency" in w for w in image.warnings)


def test_sixteen_bit_colour_keeps_its_depth(tmp_path: Path) -> None:
    import SimpleITK as sitk

    colour = np.random.default_rng(0).integers(0, 65535, (5, 7, 3)).astype(np.uint16)
    sitk.WriteImage(sitk.GetImageFromArray(colour, isVector=True), str(tmp_path / "a.png"))
    image = read_image(tmp_path / "a.png")
    assert image.array.dtype == np.uint16
    np.testing.assert_array_equal(image.array, np.moveaxis(colour, -1, 0))


@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, turn: int) -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(6, 8)
    exif = PIL.Image.Exif()
    exif[0x0112] = turn
    PIL.Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    # TIFF 6.0: which side of the stored array is the visual top and left.
    shown = {
        1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1], 5: pixels.T, 6: pixels[::-1].T,
        7: pixels[::-1, ::-1].T, 8: pixels.T[::-1],
    }[turn]  # fmt: skip
    image = read_image(tmp_path / "a.png")
    assert image.shape == shown.shape
    np.testing.assert_array_equal(image.array[0], shown)


def test_pages_of_a_tiff(tmp_path: Path) -> None:
    pages = [PIL.Image.fromarray(np.full((5, 6), v, dtype=np.uint8)) for v in (3, 1, 2)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    image = read_image(tmp_path / "a.tif")
    assert (image.shape, image.time_axis) == ((3, 5, 6), 0)
    np.testing.assert_array_equal(image.array[0, :, 0, 0], [3, 1, 2])
    PIL.Image.new("L", (5, 5)).save(tmp_path / "b.tif", save_all=True, append_images=[PIL.Image.new("L", (9, 9))])
    with pytest.raises(UnsupportedError, match="different sizes"):
        _ = read_image(tmp_path / "b.tif").array


def test_video_is_an_image_in_time(tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="video needs the extra `video`")
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in (20, 90, 160, 230):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, dtype=np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    image = read_image(tmp_path / "a.mp4")
    assert (image.shape, image.channels, image.time_axis) == ((4, 48, 64), 3, 0)
    assert image.acquisition.facts["FrameTime"] == pytest.approx(40.0)
    np.testing.assert_allclose(image.array.mean(axis=(0, 2, 3)), (20, 90, 160, 230), atol=4)


def test_video_without_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from groundglass.core import ConfigurationError

    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(64))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ConfigurationError, match="PyAV is not installed"):
        read_image(tmp_path / "a.mp4")
