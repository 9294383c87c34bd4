"""Where the head is while each phase-encode line is acquired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError

Float = NDArray[np.float64]
KINDS = ("few poses", "drift", "sudden", "periodic")
# Share of the lines on each side of the centre of k-space that sudden moves leave together: they hold most of a head's
# energy, and a head of which only the very middle is at the reference pose looks like a still one that lies elsewhere.
MIDDLE = 0.05


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A rigid pose in the plane for every phase-encode line, in the order of k-space.

    `degrees` (lines,): counter-clockwise rotation as displayed with rows downwards, about the centre of the image.
    `shift` (lines, 2): pixels along rows' and columns' axes (down, right). `axis`: which image axis is phase-encoded,
    0 (rows) or 1 (columns). The pose at the centre of k-space is the reference, so that the image as a whole stays
    where it was; a course that moves all along has it as the mean over the lines, weighted as `middle_weight`.
    """

    degrees: Float
    shift: Float
    axis: int = 0
    kind: str = ""

    def __post_init__(self) -> None:
        if self.degrees.ndim != 1 or self.shift.shape != (len(self.degrees), 2) or self.axis not in (0, 1):
            raise ConfigurationError(
                "trajectory",
                f"has shapes {self.degrees.shape}, {self.shift.shape}",
                "Give (n,), (n, 2) and axis 0 or 1.",
            )

    @property
    def size(self) -> float:
        """A summary: root mean square displacement over the lines, a degree counting as a pixel."""
        return float(np.sqrt((self.degrees**2 + (self.shift**2).sum(axis=1)).mean()))

    def row(self) -> dict[str, Any]:
        """For a manifest."""
        return {
            "kind": self.kind,
            "axis": self.axis,
            "size": self.size,
            "degrees": [round(float(d), 4) for d in self.degrees],
            "shift_px": [[round(float(v), 4) for v in s] for s in self.shift],
        }


def still(lines: int, *, axis: int = 0) -> Trajectory:
    """No motion."""
    return Trajectory(np.zeros(lines), np.zeros((lines, 2)), axis, "still")


def few_poses(
    lines: int, rng: np.random.Generator, *, poses: int, degrees: float, pixels: float, axis: int = 0
) -> Trajectory:
    """Algorithm A (torchio's RandomMotion): `poses` moves, each lasting for a block of lines; rotation and shift
    uniform up to the given sizes. Moves come at equal intervals, each up to half of one earlier or later, as torchio's
    do, but not within the middle lines: the block of the centre keeps the reference pose."""
    wanted = lines * (np.arange(1, poses + 1) + rng.uniform(-0.5, 0.5, poses)) / (poses + 1)
    moments = _moments(lines)
    cuts = np.sort(moments[np.abs(moments[None] - wanted[:, None]).argmin(axis=1)])
    block = np.searchsorted(cuts, np.arange(lines), side="right")
    angles = rng.uniform(-degrees, degrees, poses + 1)
    shifts = rng.uniform(-pixels, pixels, (poses + 1, 2))
    middle = block[lines // 2]
    angles[middle], shifts[middle] = 0.0, 0.0
    return Trajectory(angles[block], shifts[block], axis, "few poses")


def per_line(
    lines: int, rng: np.random.Generator, *, kind: str, degrees: float, pixels: float, axis: int = 0
) -> Trajectory:
    """Algorithm B: a course over time, lines acquired in order, each at its own pose.

    `kind`: "drift" (slow and smooth), "sudden" (1 to 4 jumps with a tremor) or "periodic" (breathing). Largest rotation
    and shift from the reference are drawn up to `degrees` and `pixels`. Raises ConfigurationError for another kind.
    """
    time = np.linspace(0, 1, lines)
    weight = middle_weight(lines)
    if kind == "drift":
        course = np.stack([np.cumsum(np.convolve(rng.normal(size=lines + 16), np.ones(17), "valid")) for _ in range(3)])
    elif kind == "sudden":
        course = np.zeros((3, lines))
        for start in rng.choice(_moments(lines), int(rng.integers(1, 5))):
            course += np.where(np.arange(lines) >= start, 1.0, 0.0) * rng.normal(size=(3, 1))
        course += 0.03 * rng.normal(size=course.shape)
    elif kind == "periodic":
        phase, cycles = rng.uniform(0, 2 * np.pi, (3, 1)), rng.uniform(3, 12)
        course = rng.uniform(0.2, 1, (3, 1)) * np.sin(2 * np.pi * cycles * time + phase)
    else:
        raise ConfigurationError(f"motion {kind}", "is not known", "Use drift, sudden or periodic.")
    course = course - (course @ weight)[:, None]
    course = course / np.maximum(np.abs(course).max(axis=1, keepdims=True), 1e-9)
    size = rng.uniform(0.2, 1.0, 3) * (degrees, pixels, pixels)
    return Trajectory(course[0] * size[0], (course[1:] * size[1:, None]).T, axis, kind)


def middle_weight(lines: int) -> Float:
    """(lines,), sum 1: about the energy of a head on each line of k-space, which falls with the square of frequency."""
    weight = 1 / (1 + (np.arange(lines) - lines // 2) ** 2.0)
    return np.asarray(weight / weight.sum())


def _moments(lines: int) -> NDArray[np.int64]:
    """Lines before which the head may move at once: all but the first and those that would split the middle."""
    every, middle = np.arange(1, lines), round(MIDDLE * lines)
    return every[(every <= lines // 2 - middle) | (every > lines // 2 + middle)]


def random_trajectory(
    shape: tuple[int, int], rng: np.random.Generator, *, severity: float, kinds: tuple[str, ...] = KINDS
) -> Trajectory:
    """For an image of `shape`: one of `kinds`, along either axis; `severity` in [0, 1] scales up to 10 degrees and 10
    pixels. Raises ConfigurationError for another severity."""
    if not 0 <= severity <= 1:
        raise ConfigurationError(f"severity {severity:g}", "is outside of 0 to 1", "Use 0 for none, 1 for the worst.")
    axis, kind = int(rng.integers(2)), kinds[int(rng.integers(len(kinds)))]
    lines, most = shape[axis], 10.0 * severity
    if kind == "few poses":
        return few_poses(lines, rng, poses=int(rng.integers(1, 6)), degrees=most, pixels=most, axis=axis)
    return per_line(lines, rng, kind=kind, degrees=most, pixels=most, axis=axis)
