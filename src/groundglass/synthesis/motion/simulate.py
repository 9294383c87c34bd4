"""Motion in k-space: every phase-encode line is that of the image at its own pose.

Rotation resamples the image (bicubic, on a padded grid, so that corners do not wrap); translation is the phase ramp
exp(-2 pi i (k_r d_r + k_c d_c)) on the line. Magnitudes stay on the clean image's scale. No spin history, no coils'
sensitivities turning against the head: real motion is worse than this at the same size.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.core import GeometryError
from groundglass.synthesis.motion.fourier import frequencies, to_image, to_kspace
from groundglass.synthesis.motion.trajectory import Trajectory

PADDING = 0.125


def moved_kspace(image: NDArray[Any], trajectory: Trajectory) -> NDArray[np.complex128]:
    """(H, W) real or complex image -> its (H, W) k-space with the trajectory's motion.

    A line whose pose is the reference is that of the still image, to the last digit. Raises GeometryError where the
    trajectory has not one pose for every line of its axis.
    """
    if image.ndim != 2 or image.shape[trajectory.axis] != len(trajectory.degrees):
        raise GeometryError(
            "image", f"of shape {image.shape} has not {len(trajectory.degrees)} lines", "Make the trajectory for it."
        )
    kspace = to_kspace(image).astype(np.complex128)
    along_rows = trajectory.axis == 0
    turned = np.flatnonzero(trajectory.degrees != 0)
    if turned.size:
        angles, which = np.unique(trajectory.degrees[turned], return_inverse=True)
        lines = _rotated_lines(image, angles, which, turned, trajectory.axis)
        if along_rows:
            kspace[turned] = lines
        else:
            kspace[:, turned] = lines.T
    down, right = trajectory.shift[:, :1], trajectory.shift[:, 1:]
    own, other = frequencies(len(down))[:, None], frequencies(image.shape[1 - trajectory.axis])[None]
    cycles = own * down + other * right if along_rows else other * down + own * right
    ramp = np.exp(-2j * np.pi * cycles)
    # A shift by whole pixels leaves the highest frequency real, by half ones it cannot: what is seen is the magnitude.
    return kspace * (ramp if along_rows else ramp.T)


def with_motion(image: NDArray[Any], trajectory: Trajectory) -> NDArray[np.float64]:
    """(H, W) magnitude of the image with the trajectory's motion, on the image's own scale."""
    return np.abs(to_image(moved_kspace(image, trajectory)))


def padded(image: NDArray[Any], share: float = PADDING) -> tuple[NDArray[Any], tuple[slice, slice]]:
    """The image in a larger field of zeros, `share` of its size on each side, and where it lies there."""
    rows, columns = (round(n * share) for n in image.shape)
    window = slice(rows, rows + image.shape[0]), slice(columns, columns + image.shape[1])
    return np.pad(image, ((rows, rows), (columns, columns))), window


def _rotated_lines(
    image: NDArray[Any], angles: NDArray[np.float64], which: NDArray[np.intp], lines: NDArray[np.intp], axis: int
) -> NDArray[np.complex128]:
    """(n, other axis): k-space line `lines[n]` along `axis` of the image turned by `angles[which[n]]` degrees."""
    turned = _rotated(image, angles)
    count = image.shape[axis]
    # One line of the transform along the phase axis is one row of its matrix; only the readout needs a whole FFT.
    place = np.arange(count) - count // 2
    wave = np.exp(-2j * np.pi * frequencies(count)[lines][:, None] * place[None]) / np.sqrt(count)
    stack = turned if axis == 0 else turned.swapaxes(1, 2)
    readout = np.empty((len(lines), stack.shape[2]), dtype=np.complex128)
    for number in range(len(angles)):
        mine = which == number
        readout[mine] = wave[mine] @ stack[number]
    shifted = np.fft.fft(np.fft.ifftshift(readout, axes=1), axis=1, norm="ortho")
    return np.asarray(np.fft.fftshift(shifted, axes=1))


def _rotated(image: NDArray[Any], degrees: NDArray[np.float64]) -> NDArray[Any]:
    """(n, H, W): the image turned by each angle about pixel (H // 2, W // 2), counter-clockwise as displayed.

    Single precision: a few millionths of the image's range, far below what the bicubic kernel leaves, in a third of the
    time.
    """
    height, width = image.shape
    a = torch.from_numpy(np.radians(degrees)).float()[:, None, None]
    rows = torch.arange(height, dtype=torch.float32)[None, :, None] - height // 2
    columns = torch.arange(width, dtype=torch.float32)[None, None, :] - width // 2
    from_row = a.cos() * rows + a.sin() * columns + height // 2
    from_column = a.cos() * columns - a.sin() * rows + width // 2
    grid = torch.stack([(2 * from_column + 1) / width - 1, (2 * from_row + 1) / height - 1], dim=-1)
    parts = [image.real, image.imag] if np.iscomplexobj(image) else [image]
    channels = torch.from_numpy(np.stack(parts).astype(np.float32))[None].expand(len(degrees), -1, -1, -1)
    turned = torch.nn.functional.grid_sample(channels, grid, mode="bicubic", align_corners=False).numpy()
    return np.asarray(turned[:, 0] + 1j * turned[:, 1] if len(parts) == 2 else turned[:, 0])
