"""An image with its geometry, and a patient's study. Pixels are loaded when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core.errors import GeometryError

if TYPE_CHECKING:
    from groundglass.core.report import Report


@dataclass(frozen=True)
class Acquisition:
    """Facts of how the image was made; None where the file does not say.

    `facts` keeps what else the reader found, by DICOM keyword (`SliceThickness`, `EchoTime`, ...).
    """

    body_part: str | None = None
    view: str | None = None
    laterality: str | None = None
    contrast: str | None = None
    description: str | None = None
    date: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Image:
    """Array plus affine, modality and acquisition facts.

    The array is (C, *spatial) in memory order of the file: NIfTI gives (C, i, j, k), a DICOM series
    (C, slice, row, column), a flat image (C, row, column), a video (C, frame, row, column) with
    `time_axis=0`. `affine` (4x4) maps indices along the spatial axes, in that order, to RAS+ mm; for a flat
    image the third column is the normal. Values are in physical units where the file defines them
    (HU, SUV, ...: `units`), else as stored.
    `spacing_known` is False where the file gives no pixel size (PNG): lengths then mean pixels, and only
    ratios and angles may be reported. `orientation_known` is False where it gives no patient axes.
    `load` reads the pixels; it is called once, at the first use of `array`.
    """

    name: str
    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    load: Callable[[], NDArray[Any]] = field(repr=False)
    modality: str = "OT"
    channels: int = 1
    units: str = ""
    spacing_known: bool = True
    orientation_known: bool = True
    time_axis: int | None = None
    acquisition: Acquisition = Acquisition()
    source: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        affine = np.asarray(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise GeometryError(
                self.name, "the affine is not a finite 4x4 matrix", "Repair the header or pass a reference image."
            )
        if abs(np.linalg.det(affine[:3, :3])) < 1e-12:
            raise GeometryError(
                self.name,
                "the affine is singular, so voxels have no size",
                "Repair the header or pass a reference image.",
            )
        object.__setattr__(self, "affine", affine)

    @classmethod
    def of(cls, array: NDArray[Any], affine: NDArray[Any] | None = None, *, name: str = "image", **facts: Any) -> Image:
        """An image of an array in memory, (C, *spatial) or spatial alone with `channels` left out.

        An array of 2 or 3 axes is taken as spatial; pass (C, *spatial) with `channels=C`.
        """
        channels = facts.pop("channels", None)
        spatial = array if channels is None else array[0]
        held = array[None] if channels is None else array
        known = affine is not None
        return cls(
            name=name,
            shape=tuple(spatial.shape),
            affine=np.eye(4) if affine is None else affine,
            load=lambda: held,
            channels=channels or 1,
            spacing_known=facts.pop("spacing_known", known),
            orientation_known=facts.pop("orientation_known", known),
            **facts,
        )

    @cached_property
    def array(self) -> NDArray[Any]:
        """(C, *spatial). Raises what the reader raises, and GeometryError if the pixels do not fit the header."""
        array = self.load()
        if array.shape != (self.channels, *self.shape):
            raise GeometryError(
                self.name,
                f"the pixels are {array.shape}, the header says {(self.channels, *self.shape)}",
                "Export the file again.",
            )
        return array

    @property
    def spacing(self) -> tuple[float, ...]:
        """mm along each spatial axis (the time axis of a video or 4D image counts 1)."""
        lengths = iter(np.linalg.norm(self.affine[:3, :3], axis=0))
        return tuple(1.0 if axis == self.time_axis else float(next(lengths)) for axis in range(len(self.shape)))

    @property
    def is_volume(self) -> bool:
        return len(self.shape) == 3 and self.time_axis is None

    def with_pixels(self, array: NDArray[Any], **changes: Any) -> Image:
        """The same image with other pixels (C, *spatial) on the same grid, or with changed fields."""
        from dataclasses import replace

        return replace(self, load=lambda: array, channels=array.shape[0], shape=tuple(array.shape[1:]), **changes)


@dataclass(frozen=True, eq=False)
class Study:
    """Images, reports and prior studies of one patient; `priors` in time order, oldest first."""

    images: tuple[Image, ...]
    reports: tuple[Report, ...] = ()
    priors: tuple[Study, ...] = ()
    patient_id: str = ""
    uid: str = ""
    date: str | None = None
    clinical: str = ""
    warnings: tuple[str, ...] = ()

    def of_modality(self, *modalities: str) -> tuple[Image, ...]:
        """The images of one of these DICOM modalities, in order."""
        return tuple(image for image in self.images if image.modality in modalities)
