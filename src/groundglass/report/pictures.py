"""Key pictures of a report: which slices, in which window, with which outlines and lines on them.

The grey (or colour) picture is a WebP; outlines and lines are vector paths in its pixel coordinates, so that a page can
draw, highlight and print them sharply.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture_
from skimage.measure import find_contours

from groundglass.core import Finding, Image, Mask, Report, Study, ontology
from groundglass.report.binding import system_of
from groundglass.report.numbers import write_quantity
from groundglass.report.planes import PLANES, Plane, flat_plane, volume_plane, world_axes
from groundglass.report.slots import term_word

# Wong 2011 (Nature Methods 8:441) and lighter tones of it: told apart by colour-blind readers, bright on grey.
PALETTE = ("#56b4e9", "#e69f00", "#00c08b", "#f0e442", "#cc79a7", "#4f8fff", "#ff8a5c", "#9be564", "#c9a6ff", "#66e0d8")
LESION = "#ff4d4d"
# CT window centre and width in HU by anatomical system.
CT_WINDOWS = {"brain": (40.0, 80.0), "lungs": (-600.0, 1500.0), "bones": (400.0, 1800.0)}
_SOFT_TISSUE = (40.0, 400.0)
_MAX_LESIONS, _MAX_IMAGES, _MAX_DETAILS = 6, 6, 24


@dataclass(frozen=True)
class Outline:
    """A finding's mask on a picture: SVG path data, its colour, number in the legend, and where to write it."""

    finding: str
    label: str
    path: str
    colour: str
    anchor: tuple[float, float]


@dataclass(frozen=True)
class Stroke:
    """A measured line: picture points, and the label at its last point."""

    finding: str
    label: str
    points: tuple[tuple[float, float], ...]
    colour: str


@dataclass(frozen=True)
class KeyPicture:
    """One picture with its drawing. `webp` is the encoded picture of `size` (width, height)."""

    title: str
    webp: bytes
    size: tuple[int, int]
    letters: tuple[str, str, str, str]
    outlines: tuple[Outline, ...]
    strokes: tuple[Stroke, ...]
    image: str
    kind: str = "overview"
    caption: str = ""


def key_pictures(report: Report, study: Study) -> tuple[KeyPicture, ...]:
    """The pictures of every image, in the study's order; an image without findings is shown plain."""
    colours = finding_colours(report.findings)
    pictures: list[KeyPicture] = []
    for image in study.images[:_MAX_IMAGES]:
        findings = [f for f in report.findings if image_of(f, study) is image]
        if image.is_volume:
            pictures += _volume_pictures(image, findings, colours, report.language)
        elif len(image.shape) == 2 + (image.time_axis is not None):
            pictures += _flat_pictures(image, findings, colours, report.language)
    return tuple(pictures)


def image_of(finding: Finding, study: Study) -> Image | None:
    """The image that a finding lies on: by name, else the first with the mask's grid; None for no geometry."""
    lines = any(m.geometry for m in finding.measurements)
    mask = finding.where.mask
    if mask is None and not lines and not finding.where.points:
        return None
    named = next((i for i in study.images if i.name == finding.where.image), None)
    if named is not None:
        return named if mask is None or mask.shape == named.shape else None
    if mask is None:
        return study.images[0] if len(study.images) == 1 else None
    return next((i for i in study.images if i.shape == mask.shape), None)


def finding_colours(findings: Sequence[Finding]) -> dict[str, str]:
    """Colour of each finding: lesions red, structures by term, so that left and right agree."""
    colours: dict[str, str] = {}
    terms: list[str] = []
    for finding in findings:
        if _is_lesion(finding):
            colours[finding.id] = LESION
            continue
        if finding.what.name not in terms:
            terms.append(finding.what.name)
        colours[finding.id] = PALETTE[terms.index(finding.what.name) % len(PALETTE)]
    return colours


def _is_lesion(finding: Finding) -> bool:
    return finding.where.mask is not None and ontology().entry(finding.what.name).kind == "finding"


def _volume_pictures(
    image: Image, findings: Sequence[Finding], colours: dict[str, str], language: str
) -> list[KeyPicture]:
    masked = [f for f in findings if f.where.mask is not None and not f.where.mask.is_empty]
    lesions = sorted((f for f in masked if _is_lesion(f)), key=lambda f: -(f.where.mask or _NONE).voxel_count)
    limits = window(image, masked)
    pictures = []
    axes = world_axes(image.affine)
    for name, (across, column, row) in PLANES.items():
        if min(image.shape[axes[column]], image.shape[axes[row]]) < 8:
            continue
        index = _best_slice(image, axes[across], masked, lesions)
        plane = volume_plane(image, name, index)
        pictures.append(_picture(image, plane, masked, colours, language, limits, title=name))
    for number, lesion in enumerate(lesions[:_MAX_LESIONS], 1):
        plane_of = _lesion_plane(image, lesion)
        if plane_of is not None and lesion.where.mask is not None:
            title = f"{term_word(lesion.what.name, language)} {number}"
            drawn = [lesion, *(f for f in masked if not _is_lesion(f))]
            plane_of = plane_of.zoomed(lesion.where.mask, image)
            pictures.append(_picture(image, plane_of, drawn, colours, language, limits, title=title, kind="lesion"))
    return pictures


def _flat_pictures(
    image: Image, findings: Sequence[Finding], colours: dict[str, str], language: str
) -> list[KeyPicture]:
    limits = window(image, findings)
    measured = [f for f in findings if any(m.geometry for m in f.measurements)]
    few = len(measured) <= 2
    pictures = [_picture(image, flat_plane(image), findings, colours, language, limits, title="overview", lines=few)]
    for finding in measured[:_MAX_DETAILS]:
        plane = flat_plane(image, longest=420)
        title = term_word(finding.what.name, language)
        picture = _picture(image, plane, [finding], colours, language, limits, title=title, kind="detail")
        pictures.append(replace(picture, caption=_values(finding, language)))
    return pictures


def _picture(
    image: Image,
    plane: Plane,
    findings: Sequence[Finding],
    colours: dict[str, str],
    language: str,
    limits: tuple[float, float],
    *,
    title: str,
    kind: str = "overview",
    lines: bool = True,
) -> KeyPicture:
    outlines = [o for f in findings if (o := _outline(f, plane, colours[f.id], language)) is not None]
    strokes = [s for f in findings for s in _strokes(f, plane, colours[f.id], language)] if lines else []
    # Large outlines first, so that small ones lie on top and can be pointed at.
    ordered = tuple(sorted(outlines, key=lambda o: -len(o.path)))
    return KeyPicture(
        title, _webp(image, plane, limits), plane.size, plane.letters, ordered, tuple(strokes), image.name, kind
    )


def window(image: Image, findings: Sequence[Finding] = ()) -> tuple[float, float]:
    """(black, white) of the display: CT by what is looked at, PET from 0, the rest by percentiles of the values."""
    if image.modality == "CT" and image.units in ("HU", "[hnsf'U]", ""):
        lesions = [f for f in findings if _is_lesion(f)] or list(findings)
        wanted = {system_of(f) for f in lesions}
        system = next((s for s in CT_WINDOWS if wanted == {s}), "")
        centre, width = CT_WINDOWS.get(system, _SOFT_TISSUE)
        return centre - width / 2, centre + width / 2
    values = image.array[0]
    steps = tuple(slice(None, None, max(1, n // 96)) for n in values.shape)
    sample = np.asarray(values[steps], dtype=np.float64).ravel()
    sample = sample[np.isfinite(sample)]
    if sample.size == 0 or sample.min() == sample.max():
        return 0.0, 1.0
    if image.modality == "MR" and image.is_volume:
        foreground = sample[sample > sample.min()]
        return float(min(0.0, sample.min())), float(np.percentile(foreground, 99.5))
    if image.modality == "PT":
        return 0.0, float(np.percentile(sample, 99.9)) or 1.0
    return float(np.percentile(sample, 0.1)), float(np.percentile(sample, 99.9))


def drawn_channels(image: Image, plane: Plane, limits: tuple[float, float]) -> list[NDArray[np.uint8]]:
    """(rows, columns) of a slice in grey levels: one, or red, green and blue. `limits` are shown black and white.

    Colours of 8 bits stay as they are stored.
    """
    is_colour = image.channels in (3, 4)
    flats = [plane.cut(channel) for channel in (image.array[:3] if is_colour else image.array[:1])]
    return [flat if is_colour and flat.dtype == np.uint8 else grey_levels(flat, limits) for flat in flats]


def grey_levels(values: NDArray[np.generic], limits: tuple[float, float]) -> NDArray[np.uint8]:
    """Grey levels of values, 0 and 255 at the `limits` and beyond; what is no number is black."""
    black, white = limits
    known = np.nan_to_num(np.asarray(values, dtype=np.float32), nan=black, posinf=white, neginf=black)
    return (np.clip((known - black) / ((white - black) or 1.0), 0, 1) * 255).astype(np.uint8)


def _webp(image: Image, plane: Plane, limits: tuple[float, float]) -> bytes:
    drawn = drawn_channels(image, plane, limits)
    picture = Picture_.fromarray(drawn[0] if len(drawn) == 1 else np.stack(drawn, axis=-1))
    picture = picture.resize(plane.size, Picture_.Resampling.BICUBIC)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=90, method=2)
    return buffer.getvalue()


def _outline(finding: Finding, plane: Plane, colour: str, language: str) -> Outline | None:
    mask = finding.where.mask
    if mask is None or len(mask.shape) != len(plane.shape):
        return None
    flat = plane.cut_mask(mask)
    if not flat.any():
        return None
    scale = plane.size[0] / flat.shape[1], plane.size[1] / flat.shape[0]
    parts = []
    for contour in find_contours(np.pad(flat, 1).astype(np.float32), 0.5):
        points = (contour - 0.5)[:: 1 if len(contour) < 400 else 2]
        parts.append("M" + "L".join(f"{x * scale[0]:.1f} {y * scale[1]:.1f}" for y, x in points) + "Z")
    anchor = _inner_point(flat)
    label = _label(finding, language)
    return Outline(finding.id, label, "".join(parts), colour, (anchor[1] * scale[0], anchor[0] * scale[1]))


def _inner_point(flat: NDArray[np.bool_]) -> tuple[float, float]:
    """A point well inside: the middle of the longest run in the row through the centre of mass."""
    rows = np.nonzero(flat)[0]
    row = round(float(rows.mean()))
    row = row if flat[row].any() else int(rows[len(rows) // 2])
    inside = np.flatnonzero(flat[row])
    runs = np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1)
    longest = max(runs, key=len)
    return row + 0.5, float(longest.mean()) + 0.5


def _strokes(finding: Finding, plane: Plane, colour: str, language: str) -> list[Stroke]:
    found = []
    for measurement in finding.measurements:
        value = write_quantity(measurement.value, measurement.unit, language) if np.isfinite(measurement.value) else ""
        for line in measurement.geometry:
            fits = all(len(p) == len(plane.shape) and plane.contains(p) for p in line.points)
            if line.points and fits:
                name = line.name or term_word(measurement.kind.name, language)
                is_the_value = len(measurement.geometry) == 1
                text = f"{name} {value}".strip() if is_the_value else name
                found.append(Stroke(finding.id, text, tuple(plane.at(p) for p in line.points), colour))
    for line in finding.where.points:
        if line.points and all(len(p) == len(plane.shape) and plane.contains(p) for p in line.points):
            found.append(Stroke(finding.id, line.name, tuple(plane.at(p) for p in line.points), colour))
    return found


def _values(finding: Finding, language: str) -> str:
    """The measured values of a finding in one line."""
    finite = [m for m in finding.measurements if np.isfinite(m.value)]
    return ", ".join(f"{term_word(m.kind.name, language)} {write_quantity(m.value, m.unit, language)}" for m in finite)


def _label(finding: Finding, language: str) -> str:
    side = {"left": {"en": "left", "id": "kiri"}, "right": {"en": "right", "id": "kanan"}}.get(finding.where.side or "")
    word = term_word(finding.what.name, language)
    return f"{word}, {side.get(language, side['en'])}" if side else word


_NONE = Mask(np.zeros((0,), dtype=bool), (0,), (0,), np.eye(4))


def _profile(mask: Mask, axis: int) -> NDArray[np.int64]:
    """Voxels per slice along an axis."""
    counts = np.zeros(mask.shape[axis], dtype=np.int64)
    others = tuple(a for a in range(mask.crop.ndim) if a != axis)
    counts[mask.offset[axis] : mask.offset[axis] + mask.crop.shape[axis]] = mask.crop.sum(axis=others)
    return counts


def _best_slice(image: Image, axis: int, masked: Sequence[Finding], lesions: Sequence[Finding]) -> int:
    """Through the largest lesion where it is widest; else where most structures show a fair part of themselves."""
    if not masked:
        return image.shape[axis] // 2
    if lesions and lesions[0].where.mask is not None:
        return int(_profile(lesions[0].where.mask, axis).argmax())
    score = np.zeros(image.shape[axis])
    for finding in masked:
        if finding.where.mask is not None:
            profile = _profile(finding.where.mask, axis)
            score += np.sqrt(profile / max(1, profile.max()))
    return int(score.argmax())


def _lesion_plane(image: Image, lesion: Finding) -> Plane | None:
    """The slice of the longest diameter's own line; without one, the axial slice of largest area."""
    axes = world_axes(image.affine)
    names = {axes[across]: name for name, (across, _, _) in PLANES.items()}
    long_axis = lesion.measurement("long axis")
    lines = long_axis.geometry if long_axis else ()
    for line in lines:
        points = np.asarray(line.points, dtype=float)
        if points.ndim == 2 and points.shape[1] == 3 and len(points) > 1:
            flat_axes = np.flatnonzero(np.ptp(points, axis=0) < 0.5)
            if flat_axes.size:
                axis = int(flat_axes[0])
                return volume_plane(image, names[axis], round(float(points[:, axis].mean())))
    mask = lesion.where.mask
    return None if mask is None else volume_plane(image, "axial", int(_profile(mask, axes[2]).argmax()))
