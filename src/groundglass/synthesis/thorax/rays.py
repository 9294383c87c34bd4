"""The X-ray beam: a point source, a flat detector, and samples along every ray in the patient's own axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Beam:
    """Cone-beam geometry of one exposure, in mm of the patient's axes before he is turned.

    `view` is "PA" (source behind, detector in front), "AP" or "LATERAL" (left side on the detector). The detector has
    `size` x `size` pixels of `pixel` mm with its centre at (`centre_x`, `centre_z`); columns run to the
    patient's left, rows caudally. `yaw` and `pitch` turn the patient.
    """

    view: str
    size: int
    pixel: float
    centre_x: float
    centre_z: float
    distance: float
    detector_y: float
    yaw: float = 0.0
    pitch: float = 0.0
    source_x: float = 0.0
    source_z: float = 0.0

    @property
    def sign(self) -> float:
        """Direction of the beam along its axis: +1 towards the front (PA), -1 towards the back."""
        return -1.0 if self.view == "AP" else 1.0

    @property
    def source(self) -> NDArray[np.float64]:
        return np.array([self.source_x, self.sign * (self.detector_y - self.distance), self.source_z])

    def detector(self, step: int = 1) -> tuple[Float, Float]:
        """Detector coordinates (u, v) in mm of the pixel centres of every `step`-binned pixel, each (n,)."""
        count = self.size // step
        offset = (np.arange(count) + 0.5) * step - self.size / 2
        return (
            (self.centre_x + offset * self.pixel).astype(np.float32),
            (self.centre_z - offset * self.pixel).astype(np.float32),
        )

    def samples(self, *, step: int, planes: int, extent: float) -> tuple[Float, Float, Float, Float]:
        """Points along all rays: x, y, z of shape (planes, n, n), and the path length per sample (n, n) in mm."""
        u, v = self.detector(step)
        depth = ((np.arange(planes) + 0.5) / planes * 2 - 1).astype(np.float32) * np.float32(extent)
        source = self.source
        along = ((depth - source[1]) / (self.sign * self.detector_y - source[1])).astype(np.float32)[:, None, None]
        x = source[0] + (u[None, None, :] - source[0]) * along
        z = source[2] + (v[None, :, None] - source[2]) * along
        x, y, z = np.broadcast_arrays(x, depth[:, None, None], z)
        slope_x = (u[None, :] - source[0]) / self.distance
        slope_z = (v[:, None] - source[2]) / self.distance
        length = (2 * extent / planes) * np.sqrt(1 + slope_x**2 + slope_z**2)
        return (*self._to_patient(x, y, z), length.astype(np.float32))

    def project(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Pixel (row, column) of patient points (n, 3), and the magnification at each, (n,)."""
        x, y, z = self._to_room(points)
        source = self.source
        scale = (self.sign * self.detector_y - source[1]) / (y - source[1])
        u = source[0] + (x - source[0]) * scale
        v = source[2] + (z - source[2]) * scale
        column = (u - self.centre_x) / self.pixel + self.size / 2 - 0.5
        row = (self.centre_z - v) / self.pixel + self.size / 2 - 0.5
        return np.stack([row, column], axis=1), scale

    def _turns(self) -> tuple[float, float]:
        return self.yaw + (np.pi / 2 if self.view == "LATERAL" else 0.0), self.pitch

    def _to_patient(self, x: Float, y: Float, z: Float) -> tuple[Float, Float, Float]:
        yaw, pitch = self._turns()
        c, s = np.float32(np.cos(yaw)), np.float32(np.sin(yaw))
        cp, sp = np.float32(np.cos(pitch)), np.float32(np.sin(pitch))
        middle = np.float32(self.centre_z)
        y1 = cp * y + sp * (z - middle)
        z1 = -sp * y + cp * (z - middle) + middle
        return c * x + s * y1, -s * x + c * y1, z1

    def _to_room(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        yaw, pitch = self._turns()
        c, s, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
        px, py, pz = points.T
        x, y1, z1 = c * px - s * py, s * px + c * py, pz - self.centre_z
        return x, cp * y1 - sp * z1, sp * y1 + cp * z1 + self.centre_z
