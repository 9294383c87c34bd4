"""What a scanner makes of substances: several sequences of one anatomy on one grid, thick slices, bias, Rician noise.

The anatomy is painted on a grid that may be finer than the voxels along each axis (by an odd number, so that every
voxel keeps its centre); signals are averaged over the voxel, as magnetisation is, before bias and noise come on top.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Acquisition, Image, Mask
from groundglass.synthesis.phantoms.canvas import Canvas, Float, Window
from groundglass.synthesis.phantoms.lesion_shapes import waves
from groundglass.synthesis.phantoms.mr_physics import Sequence as Pulse
from groundglass.synthesis.phantoms.mr_physics import Substance

FINEST_MM = 1.6
"""Voxels longer than this, and than one and a half times their shortest side, are painted in parts."""
SCALE = 2000.0
ADC_SCALE = 1000.0
"""An ADC map holds um2/ms times this, i.e. 1e-6 mm2/s."""


def finer(canvas: Canvas) -> tuple[Canvas, tuple[int, int, int]]:
    """The grid to paint on, and by how many parts it is finer along each axis (odd)."""
    longest = max(FINEST_MM, 1.5 * min(canvas.spacing))
    parts = [2 * int(np.ceil((s / longest - 1) / 2)) + 1 if s > longest else 1 for s in canvas.spacing]
    spacing = tuple(s / k for s, k in zip(canvas.spacing, parts, strict=True))
    corner = tuple(c - (k - 1) / 2 * s for c, k, s in zip(canvas.corner, parts, spacing, strict=True))
    shape = tuple(n * k for n, k in zip(canvas.shape, parts, strict=True))
    return Canvas(shape, spacing, corner), tuple(parts)  # type: ignore[arg-type,return-value]


@dataclass
class MrScene:
    """`values` (sequence, X, Y, Z): noise-free signals on the fine grid; `labels` the structure on top of each voxel.

    `noise`: standard deviation of either channel, per sequence, on the scale of the signals.
    """

    target: Canvas
    pulses: tuple[Pulse, ...]
    noise: NDArray[np.float64]
    values: Float = field(init=False)
    labels: NDArray[np.uint8] = field(init=False)
    names: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.canvas, self.parts = finer(self.target)
        self.values = np.zeros((len(self.pulses), *self.canvas.shape), dtype=np.float32)
        self.labels = np.zeros(self.canvas.shape, dtype=np.uint8)

    def signals(self, substance: Substance) -> Float:
        """(sequence,)"""
        return np.array([pulse.signal(substance) for pulse in self.pulses], dtype=np.float32)

    def mixture(self, shares: Mapping[str, Float], table: Mapping[str, Substance]) -> Float:
        """(sequence, ...) signals of voxels that hold several substances."""
        total: Float | None = None
        for name, share in shares.items():
            part = self.signals(table[name]).reshape(-1, *(1,) * share.ndim) * share
            total = part if total is None else total + part
        if total is None:
            raise ValueError("a mixture of nothing")
        return total

    def coverage(self, distance: Float) -> Float:
        return np.clip(0.5 - distance / np.float32(self.canvas.voxel), 0, 1)

    def paint(self, window: Window, distance: Float, substance: Substance, name: str | None = None) -> Float:
        """Mix a substance in by the coverage of a shape; the contrasts as in `blend`."""
        value = self.signals(substance).reshape(-1, 1, 1, 1)
        contrast = self.blend(window, self.coverage(distance), value)
        if name is not None:
            self.mark(window, distance < 0, name)
        return contrast

    def blend(self, window: Window, share: Float, value: Float) -> Float:
        """Mix signals (sequence, ...) in by shares; per sequence, the mean change where the share is over a half, over
        the noise."""
        held = self.values[(slice(None), *window)]
        change = share * (value - held)
        inside = share > 0.5
        moved = change[:, inside].mean(axis=1) if inside.any() else np.zeros(len(self.pulses))
        held += change
        return np.asarray(np.abs(moved) / self.noise, dtype=np.float32)

    def mark(self, window: Window, inside: NDArray[np.bool_], name: str) -> None:
        """Put a structure on top of voxels."""
        self.names.setdefault(name, len(self.names) + 1)
        self.labels[window][inside] = self.names[name]

    def _centres(self, window: Window, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
        whole = np.zeros(self.canvas.shape, dtype=bool)
        whole[window] = inside
        return whole[tuple(slice(k // 2, None, k) for k in self.parts)]

    def mask(self, window: Window, inside: NDArray[np.bool_]) -> Mask:
        """The voxels of the image whose centres lie inside."""
        return Mask.of(self._centres(window, inside), self.target.affine)

    def masks(self) -> dict[str, Mask]:
        """Every structure with a visible voxel, by name."""
        seen = self.labels[tuple(slice(k // 2, None, k) for k in self.parts)]
        found = {name: Mask.of(seen == number, self.target.affine) for name, number in self.names.items()}
        return {name: mask for name, mask in found.items() if not mask.is_empty}

    def best(self, contrasts: Float) -> tuple[str, float]:
        """Name of the sequence that shows a finding best, and its contrast-to-noise ratio there."""
        index = int(np.argmax(contrasts))
        return self.pulses[index].name, float(contrasts[index])

    @cached_property
    def _blocks(self) -> tuple[int, ...]:
        return tuple(v for n, k in zip(self.target.shape, self.parts, strict=True) for v in (n, k))

    def scanned(self, rng: np.random.Generator, bias: float) -> Float:
        """(sequence, X, Y, Z) magnitudes of the image's voxels."""
        mean = self.values.reshape(len(self.pulses), *self._blocks).mean(axis=(2, 4, 6))
        x, y, z = self.target.axes
        for number, sigma in enumerate(self.noise):
            field_ = np.exp(waves(rng, x, y, z, length=260.0, height=bias))
            real = mean[number] * field_ + rng.standard_normal(mean.shape[1:], dtype=np.float32) * np.float32(sigma)
            other = rng.standard_normal(mean.shape[1:], dtype=np.float32) * np.float32(sigma)
            mean[number] = np.hypot(real, other)
        return np.asarray(mean, dtype=np.float32)


def images_of(scene: MrScene, scans: Float, *, body: str, adc: tuple[str, str] | None = None) -> tuple[Image, ...]:
    """Whole numbers as a scanner stores them; `adc` names the plain and the weighted image of an ADC map."""
    found = []
    for pulse, values in zip(scene.pulses, scans, strict=True):
        stored = np.rint(np.clip(values * SCALE, 0, 32767)).astype(np.int16)
        found.append(_image(scene, stored, pulse.name, body, pulse.facts, enhanced=pulse.enhanced))
    if adc is not None:
        names = [pulse.name for pulse in scene.pulses]
        plain, weighted = (names.index(name) for name in adc)
        value = apparent_diffusion(scans[plain], scans[weighted], b=scene.pulses[weighted].b, floor=scene.noise[plain])
        stored = np.rint(np.clip(value * ADC_SCALE, 0, 32767)).astype(np.int16)
        found.append(_image(scene, stored, "ADC", body, {}, enhanced=False))
    return tuple(found)


def apparent_diffusion(plain: Float, weighted: Float, *, b: float, floor: float) -> Float:
    """um2/ms from two magnitudes, ln(S0 / Sb) / b; 0 where S0 is not four times over the noise."""
    ratio = np.maximum(plain, 1e-6) / np.maximum(weighted, 1e-6)
    return np.where(plain > 4 * floor, np.clip(np.log(ratio) * (1000 / b), 0, 4), 0).astype(np.float32)


def _image(
    scene: MrScene, stored: NDArray[np.int16], name: str, body: str, facts: Mapping[str, float], *, enhanced: bool
) -> Image:
    acquisition = Acquisition(
        body.upper(), contrast="gadolinium" if enhanced else None, description=f"{name}, simulated", facts=dict(facts)
    )
    return Image.of(stored, scene.target.affine, name=f"{body} {name}", modality="MR", acquisition=acquisition)


def chosen_pulses(pulses: Sequence[Pulse], names: Sequence[str] | None) -> tuple[Pulse, ...]:
    """Those asked for, in the usual order. Raises ConfigurationError for a name that is none of them."""
    from groundglass.core import ConfigurationError

    known = [p.name for p in pulses]
    for name in names or ():
        if name not in known:
            raise ConfigurationError(name, "is not one of the sequences", f"Use one of {', '.join(known)}.")
    return tuple(p for p in pulses if names is None or p.name in names)
