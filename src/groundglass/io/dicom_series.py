"""Frames in any order to stacks: grouped by what they show, sorted by where they lie."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from groundglass.io.dicom_frames import Frame, frames_of
from groundglass.io.dicom_header import Header, tag_of

# Frames that differ in one of these are never of one image.
_SEPARATE = (
    "SeriesInstanceUID", "Modality", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PixelSpacing",
    "ImageOrientationPatient", "EchoNumbers", "EchoTime", "EffectiveEchoTime", "DiffusionBValue", "InversionTime",
    "FrameOfReferenceUID", "ImageType", "FrameType",
)  # fmt: skip
_TAGS = tuple(tag_of(keyword) for keyword in _SEPARATE)
_POSITION = tag_of("ImagePositionPatient")
# Where several frames lie in one place, the first of these that tells them apart makes a series in time ...
_TIMES = (
    "TemporalPositionIdentifier", "TemporalPositionIndex", "TemporalPositionTimeOffset", "TriggerTime",
    "NominalCardiacTriggerDelayTime", "FrameReferenceTime", "AcquisitionNumber", "AcquisitionDateTime",
    "AcquisitionTime", "ContentTime",
)  # fmt: skip
# ... or separate images.
_KINDS = (
    "ComplexImageComponent", "DiffusionGradientOrientation", "DiffusionGradientDirectionSequence", "FlipAngle",
    "StackID", "SliceThickness", "ConvolutionKernel", "ReconstructionDiameter", "ContrastBolusAgent", "KVP",
)  # fmt: skip
# Values of ImageType and FrameType that say that it is another picture; others (NORM, MOSAIC) may change in a series.
_PICTURES = {
    "LOCALIZER", "W", "F", "WATER", "FAT", "IN_PHASE", "OUT_PHASE", "OPP_PHASE", "IP", "OP", "M", "P", "R", "I",
    "PHASE MAP", "PHASE", "ADC", "FA", "MIP", "MPR",
}  # fmt: skip
_SAME_PLACE = 1e-3
_FLAT = ("CR", "DX", "MG", "US", "XA", "RF", "IO", "PX", "RG", "SM", "ES", "OP", "GM")
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@dataclass(eq=False)
class Stack:
    """Frames of one image: `phases` in time order, each a list of frames in the order of their positions.

    `is_volume` is False where the frames have no common place (a cine loop, a radiograph): then `phases` holds one
    list, in stored order.
    """

    phases: list[list[Frame]]
    is_volume: bool
    warnings: list[str] = field(default_factory=list)

    @property
    def frames(self) -> list[Frame]:
        return [frame for phase in self.phases for frame in phase]


def stacks_of(headers: Iterable[Header]) -> list[Stack]:
    """The images that these files make, ordered by series number, then by where they were first met."""
    stacks: list[Stack] = []
    for group in _groups(headers):
        if all(f.position is not None and f.orientation is not None for f in group) and _is_cross_section(group):
            stacks += _volumes(group)
        else:
            stacks += _loops(group)
    return sorted(stacks, key=lambda s: s.frames[0].number("SeriesNumber") or 0)


def _is_cross_section(group: Sequence[Frame]) -> bool:
    """Radiographs, ultrasound and screen shots may carry a position, too; only slices are stacked by it."""
    if group[0].text("Modality") in _FLAT:
        return False
    return len(group) > 1 or not group[0].text("SOPClassUID").startswith(_SECONDARY_CAPTURE)


def _groups(headers: Iterable[Header]) -> list[list[Frame]]:
    """Frames that agree in all of `_SEPARATE`; directions and spacings to within rounding."""
    exact: dict[Any, list[Frame]] = defaultdict(list)
    unique: set[Any] = set()
    for header in headers:
        uid = header.raw(tag_of("SOPInstanceUID"))
        if uid and uid in unique:
            continue
        unique.add(uid)
        for key, frame in _keyed(header):
            exact[key].append(frame)
    merged: dict[Any, list[tuple[np.ndarray, list[Frame]]]] = defaultdict(list)
    for members in exact.values():
        key, numbers = _meaning(members[0])
        for known, group in merged[key]:
            if known.shape == numbers.shape and np.allclose(known, numbers, atol=1e-3):
                group += members
                break
        else:
            merged[key].append((numbers, list(members)))
    groups = [group for alike in merged.values() for _, group in alike]
    for group in groups:
        _share_orientation(group)
    return groups


def _keyed(header: Header) -> list[tuple[Any, Frame]]:
    """The frames of a file with a key that is cheap to make: undecoded bytes, as a series has hundreds of files."""
    raw = header.key(_TAGS)
    if header.raw(tag_of("NumberOfFrames")) in (None, b"1 ", b"1") and header.raw(_SHARED) is None:
        frame = Frame(header, 0, (header.dataset,))
        frame.position = _position(header)
        return [(raw, frame)]
    return [((raw, _frame_key(frame), id(header)), frame) for frame in frames_of(header)]


_SHARED = tag_of("SharedFunctionalGroupsSequence")


def _frame_key(frame: Frame) -> tuple[Any, ...]:
    return tuple(frame.text(keyword) for keyword in _SEPARATE)


def _position(header: Header) -> tuple[float, ...] | None:
    value = header.raw(_POSITION)
    if not isinstance(value, bytes):
        return Frame(header, 0, (header.dataset,)).numbers("ImagePositionPatient", 3)
    try:
        numbers = tuple(float(v) for v in value.replace(b"\0", b" ").split(b"\\"))
    except ValueError:
        return None
    return numbers if len(numbers) == 3 and all(abs(v) < 1e9 for v in numbers) else None


def _meaning(frame: Frame) -> tuple[tuple[Any, ...], np.ndarray]:
    """What must be equal, and the numbers that must be close, of one frame."""
    close = ("ImageOrientationPatient", "PixelSpacing", "EchoTime", "EffectiveEchoTime")
    key: tuple[Any, ...] = tuple(frame.text(k) for k in _SEPARATE if k not in (*close, "ImageType", "FrameType"))
    kind = frame.text("FrameType") or frame.text("ImageType")
    key += (tuple(sorted(_PICTURES & set(kind.upper().split("\\")[2:]))), frame.position is None)
    values = [v for k in close for v in (frame.numbers(k) or (0.0,))]
    return key, np.asarray(values)


def _share_orientation(group: list[Frame]) -> None:
    """One direction for all frames of a group: they differ by rounding only."""
    known = group[0].orientation
    if known is None:
        known = frames_of(group[0].header)[group[0].index].orientation
    for frame in group:
        frame.orientation = known


def _volumes(group: list[Frame]) -> list[Stack]:
    """Stacks of frames with places; frames in one place are told apart by time or by kind, else are duplicates."""
    normal = group[0].normal
    assert normal is not None
    along = np.asarray([frame.position for frame in group], dtype=np.float64) @ normal
    order = np.argsort(along, kind="stable")
    places: list[list[Frame]] = []
    last = -np.inf
    for index in order:
        if along[index] - last <= _SAME_PLACE:
            places[-1].append(group[index])
        else:
            places.append([group[index]])
            last = float(along[index])
    most = max(len(p) for p in places)
    if most == 1:
        return [Stack([[p[0] for p in places]], True)]
    return _told_apart(group, places, most)


def _told_apart(group: list[Frame], places: list[list[Frame]], most: int) -> list[Stack]:
    for keyword in _KINDS:
        if parts := _split(group, places, partial(Frame.text, keyword=keyword)):
            return [stack for part in parts for stack in _volumes(part)]
    for keyword in _TIMES:
        parts = _split(group, places, partial(Frame.text, keyword=keyword))
        if parts:
            parts.sort(key=partial(_moment, keyword))
            inner = [_volumes(part) for part in parts]
            if all(len(stacks) == 1 and len(stacks[0].phases) == 1 for stacks in inner):
                return _in_time([stacks[0] for stacks in inner])
            return [stack for stacks in inner for stack in stacks]
    # Nothing tells them apart: by the order of acquisition where each place has the same number, else duplicates.
    ranked = [sorted(p, key=lambda f: (f.number("InstanceNumber") or 0, f.index)) for p in places]
    if (
        all(len(p) == most for p in ranked)
        and len(places) > 1
        and len({f.header for p in ranked for f in p}) < len(group)
    ):
        return [Stack([[p[i] for p in ranked] for i in range(most)], True)]
    extra = sum(len(p) - 1 for p in ranked)
    return [Stack([[p[0] for p in ranked]], True, [f"{extra} duplicate slice(s) left out"])]


def _split(group: list[Frame], places: list[list[Frame]], value: Callable[[Frame], str]) -> list[list[Frame]] | None:
    """Parts of equal value, if that leaves fewer frames in one place; None where it does not."""
    crowded = max(places, key=len)
    if len({value(frame) for frame in crowded}) < 2:
        return None
    parts: dict[str, list[Frame]] = defaultdict(list)
    for frame in group:
        parts[value(frame)].append(frame)
    # A value that differs from slice to slice as well (a clock) says nothing about which belong together.
    if len(parts) > len(group) / 2 and len(places) > 2:
        return _by_rank(group, places, value)
    return list(parts.values())


def _moment(keyword: str, part: list[Frame]) -> tuple[float, str]:
    return part[0].number(keyword) or 0.0, part[0].text(keyword)


def _by_rank(group: list[Frame], places: list[list[Frame]], value: Callable[[Frame], str]) -> list[list[Frame]] | None:
    """The i-th of each place in the order of a clock, where every place has as many."""
    count = len(places[0])
    if any(len(p) != count or len({value(f) for f in p}) != count for p in places):
        return None
    ranked = [sorted(p, key=value) for p in places]
    return [[p[i] for p in ranked] for i in range(count)]


def _in_time(stacks: list[Stack]) -> list[Stack]:
    """One stack with several phases where all have the same places, else the stacks apart."""
    first = np.asarray([f.position for f in stacks[0].frames])
    for stack in stacks[1:]:
        places = np.asarray([f.position for f in stack.frames])
        if places.shape != first.shape or np.abs(places - first).max() > 0.01:
            return stacks
    warnings = [w for stack in stacks for w in stack.warnings]
    return [Stack([stack.phases[0] for stack in stacks], True, list(dict.fromkeys(warnings)))]


def _loops(group: list[Frame]) -> list[Stack]:
    """Frames without a place: those of one file are a loop in time, each file an image of its own."""
    files: dict[Header, list[Frame]] = defaultdict(list)
    for frame in group:
        files[frame.header].append(frame)
    return [Stack([frames], False) for frames in _ordered(files.values())]


def _ordered(files: Iterable[Sequence[Frame]]) -> list[list[Frame]]:
    return [list(frames) for frames in sorted(files, key=lambda fs: fs[0].number("InstanceNumber") or 0)]
