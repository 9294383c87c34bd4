"""Domain randomisation for radiographs: what a picture may look like, with the anatomy left where it is.

Tone curves, local contrast, veils of opacity, noise, blur, collimation, markers, wires, and the look of unlabelled real
radiographs: histogram matching, low-frequency Fourier amplitude swap (Yang and Soatto, FDA, CVPR 2020,
arXiv 2004.05498), high-frequency texture and faint double exposure. Pictures are (S, S) float32 in [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


def stretch(image: Float, *, low: float = 1.0, high: float = 99.0) -> Float:
    """Percentiles to [0, 1], clipped: the one intensity normalisation before every radiograph network."""
    a, b = np.percentile(image[:: max(1, image.shape[0] // 128), :: max(1, image.shape[1] // 128)], [low, high])
    return np.clip((image - a) / max(b - a, 1e-6), 0, 1).astype(np.float32)


def randomise(image: Float, lungs: Float, styles: Sequence[Float], rng: np.random.Generator) -> Float:
    """A phantom's picture with a random look. `lungs` (S, S) in [0, 1] says where veils may lie; `styles` are real
    pictures."""
    picture = image
    if rng.random() < 0.5:
        picture = veiled(picture, lungs, rng)
    if len(styles) and rng.random() < 0.45:
        picture = swap_amplitude(picture, _pick(styles, rng), rng)
    if len(styles) and rng.random() < 0.4:
        picture = picture + rng.uniform(0.3, 1.5) * fine(_pick(styles, rng))
    if len(styles) and rng.random() < 0.25:
        share = rng.uniform(0.05, 0.3)
        picture = (1 - share) * stretch(picture) + share * _pick(styles, rng)
    picture = stretch(picture)
    if len(styles) and rng.random() < 0.5:
        picture = match_histogram(picture, _pick(styles, rng))
    return disturb(picture, rng)


def disturb(picture: Float, rng: np.random.Generator) -> Float:
    """What acquisition and storage do to any radiograph, real or simulated."""
    if rng.random() < 0.8:
        picture = tone(picture, rng)
    if rng.random() < 0.4:
        picture = picture - rng.uniform(0.2, 0.8) * (coarse(picture, int(rng.integers(6, 24))) - 0.5)
    if rng.random() < 0.4:
        picture = picture + _gradient(picture.shape[0], rng)
    if rng.random() < 0.35:
        picture = soften(picture, rng)
    if rng.random() < 0.6:
        picture = picture + rng.normal(0, rng.uniform(0.005, 0.06), picture.shape).astype(np.float32)
    picture = draw_objects(np.clip(picture, -0.2, 1.3), rng)
    if rng.random() < 0.3:
        picture = collimate(picture, rng)
    return stretch(picture, low=rng.uniform(0, 3), high=rng.uniform(96, 100))


def tone(picture: Float, rng: np.random.Generator) -> Float:
    """A random monotone tone curve through five knots."""
    knots = np.linspace(0, 1, 6)
    steps = rng.dirichlet(np.full(5, rng.uniform(1.5, 8)))
    curve = np.concatenate([[0], np.cumsum(steps)])
    return np.interp(np.clip(picture, 0, 1) ** rng.uniform(0.6, 1.7), knots, curve).astype(np.float32)


def veiled(picture: Float, lungs: Float, rng: np.random.Generator) -> Float:
    """Patchy or diffuse opacity inside the lungs, up to the density of soft tissue (a white lung)."""
    size = lungs.shape[0]
    grain = coarse_noise(size, int(rng.integers(2, 14)), rng)
    if rng.random() < 0.6:
        grain = grain * coarse_noise(size, int(rng.integers(2, 4)), rng)
    haze = np.clip(grain + rng.uniform(-0.5, 0.2), 0, 1) * rng.uniform(0.2, 1.1)
    return (picture + haze * lungs * np.clip(rng.uniform(0.6, 0.95) - picture, 0, 1)).astype(np.float32)


def hila(picture: Float, mediastinum: Float, heart: Float, rng: np.random.Generator) -> Float:
    """Lung roots of any size at both borders of the mediastinum about the heart's upper end: soft blobs and short
    vessels.

    They are no part of the heart's or the mediastinum's mask, as readers draw these. `mediastinum` and `heart` (S,
    S) in [0, 1].
    """
    rows = np.flatnonzero((heart > 0.5).any(axis=1))
    if rows.size < 8:
        return picture
    size, tall = picture.shape[0], np.ptp(rows)
    r, c = np.mgrid[:size, :size].astype(np.float32)
    layer = np.zeros_like(picture)
    for side in (-1, 1):
        level = rows[0] + rng.uniform(-0.1, 0.3) * tall
        columns = np.flatnonzero(mediastinum[int(np.clip(level, 0, size - 1))] > 0.5)
        if columns.size == 0:
            continue
        edge = columns[-1] if side > 0 else columns[0]
        for _ in range(rng.integers(2, 7)):
            row, column = level + rng.normal(0, 0.1) * tall, edge + side * rng.uniform(-0.02, 0.12) * tall
            long, thin, turn = rng.uniform(0.04, 0.16) * tall, rng.uniform(0.02, 0.06) * tall, rng.uniform(0, np.pi)
            a = (np.cos(turn) * (r - row) + np.sin(turn) * (c - column)) / long
            b = (-np.sin(turn) * (r - row) + np.cos(turn) * (c - column)) / thin
            layer = np.maximum(layer, np.clip(1.4 - a * a - b * b, 0, 1))
    return picture + rng.uniform(0.2, 1.0) * layer * np.clip(rng.uniform(0.55, 0.9) - picture, 0, 1)


def coarse_noise(size: int, cells: int, rng: np.random.Generator) -> Float:
    """Uniform noise in [0, 1] on `cells` x `cells`, enlarged smoothly."""
    return _resize(rng.random((cells, cells), dtype=np.float32), size)


def coarse(picture: Float, cells: int) -> Float:
    """The picture's low-pass part: means of about `cells` x `cells` areas, enlarged smoothly."""
    from PIL import Image

    small = Image.fromarray(np.ascontiguousarray(picture, dtype=np.float32)).resize(
        (cells, cells), Image.Resampling.BOX
    )
    return _resize(np.asarray(small), picture.shape[0])


def fine(picture: Float) -> Float:
    """The picture's high-pass part."""
    return picture - coarse(picture, max(8, picture.shape[0] // 6))


def swap_amplitude(picture: Float, style: Float, rng: np.random.Generator) -> Float:
    """The style's amplitude in a random low-frequency band with the picture's phase."""
    band = int(rng.integers(1, max(3, picture.shape[0] // 24)))
    own, other = np.fft.rfft2(picture), np.fft.rfft2(style)
    rows = np.r_[np.arange(band), np.arange(-band + 1, 0)]
    window = np.ix_(rows, np.arange(band))
    share = rng.uniform(0.3, 1.0)
    size = (1 - share) * np.abs(own[window]) + share * np.abs(other[window])
    own[window] = size * np.exp(1j * np.angle(own[window]))
    return np.fft.irfft2(own, s=picture.shape).astype(np.float32)


def match_histogram(picture: Float, style: Float) -> Float:
    """The picture with the style's cumulative histogram (256 bins)."""
    own = np.cumsum(np.bincount((np.clip(picture, 0, 1) * 255).astype(np.uint8).ravel(), minlength=256))
    other = np.cumsum(np.bincount((np.clip(style, 0, 1) * 255).astype(np.uint8).ravel(), minlength=256))
    table = np.interp(own / own[-1], other / other[-1], np.linspace(0, 1, 256))
    return np.interp(picture, np.linspace(0, 1, 256), table).astype(np.float32)


def soften(picture: Float, rng: np.random.Generator) -> Float:
    """Blur by a smaller matrix, or nothing but JPEG's blocks."""
    import io

    from PIL import Image

    size = picture.shape[0]
    if rng.random() < 0.6:
        return coarse(picture, int(size * rng.uniform(0.35, 0.8)))
    file = io.BytesIO()
    Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8)).save(
        file, "JPEG", quality=int(rng.integers(15, 70))
    )
    return np.asarray(Image.open(file), dtype=np.float32) / 255


def draw_objects(picture: Float, rng: np.random.Generator) -> Float:
    """Wires, tubes, electrodes, letters: bright lines and patches, sometimes dark."""
    from PIL import Image, ImageDraw

    if rng.random() < 0.45:
        return picture
    size = picture.shape[0]
    layer = Image.new("F", (size, size))
    draw = ImageDraw.Draw(layer)
    for _ in range(rng.integers(0, 5)):
        start, way = rng.uniform(0, size, 2), rng.normal(0, size / 12, 2)
        line = [tuple(start)]
        for _ in range(rng.integers(4, 14)):
            way = way + rng.normal(0, size / 40, 2)
            line.append(tuple(np.asarray(line[-1]) + way))
        draw.line(
            [(float(a), float(b)) for a, b in line], fill=float(rng.uniform(0.1, 0.7)), width=int(rng.integers(1, 4))
        )
    for _ in range(rng.integers(0, 4)):
        x, y, r = rng.uniform(0, size), rng.uniform(0, size), rng.uniform(0.006, 0.03) * size
        draw.ellipse([x - r, y - r, x + r, y + r], fill=float(rng.uniform(0.2, 0.8)))
    for _ in range(rng.integers(0, 3)):
        text = "".join(rng.choice(list("LRAPORTBLEUPIN"), int(rng.integers(1, 9))))
        spot = (rng.uniform(0, 0.9) * size, rng.choice([rng.uniform(0, 0.15), rng.uniform(0.8, 0.95)]) * size)
        draw.text(spot, text, fill=1.0, font_size=int(rng.integers(7, 22)))
    return picture + np.asarray(layer)


def collimate(picture: Float, rng: np.random.Generator) -> Float:
    """Black, grey or white margins on some sides, and now and then a black box over a corner."""
    size = picture.shape[0]
    framed = picture.copy()
    level = float(rng.choice([0.0, 0.0, 0.0, 1.0, rng.uniform(0, 1)]))
    low, high = (rng.integers(0, max(2, int(0.08 * size)), 2) for _ in range(2))
    framed[: low[0]] = framed[size - high[0] :] = level
    framed[:, : low[1]] = framed[:, size - high[1] :] = level
    return framed


def _gradient(size: int, rng: np.random.Generator) -> Float:
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    return (rng.normal(0, 0.12) * ramp[:, None] + rng.normal(0, 0.12) * ramp[None, :]).astype(np.float32)


def _resize(array: Float, size: int) -> Float:
    from PIL import Image

    return np.asarray(
        Image.fromarray(np.ascontiguousarray(array, dtype=np.float32)).resize((size, size), Image.Resampling.BICUBIC)
    )


def _pick(styles: Sequence[Float], rng: np.random.Generator) -> Float:
    style = np.asarray(styles[int(rng.integers(len(styles)))])
    return style.astype(np.float32) / 255 if style.dtype == np.uint8 else style
