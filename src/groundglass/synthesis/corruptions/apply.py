"""A corruption as a value that can be written down and applied again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError, InputError
from groundglass.synthesis.corruptions import blur, colour, digital, noise, occlusion
from groundglass.synthesis.corruptions.table import LEVELS, CorruptionSet, Parameter

Picture = NDArray[np.uint8]
KINDS: Mapping[str, Callable[[Picture, Any, np.random.Generator], Picture]] = {
    "pixelate": digital.pixelate,
    "jpeg_compression": digital.jpeg,
    "gaussian_noise": noise.gaussian,
    "speckle_noise": noise.speckle,
    "impulse_noise": noise.salt_and_pepper,
    "shot_noise": noise.shot,
    "defocus_blur": blur.defocus,
    "motion_blur": blur.motion,
    "zoom_blur": blur.zoom,
    "gaussian_blur": blur.gaussian,
    "brightness_up": colour.brightness,
    "brightness_down": colour.brightness,
    "contrast_up": colour.contrast,
    "contrast_down": colour.contrast,
    "saturate": colour.saturation,
    "gamma_corr_up": colour.gamma,
    "gamma_corr_down": colour.gamma,
    "stain_deposit": occlusion.stain_deposit,
    "bubble": occlusion.bubble,
    "black_corner": occlusion.black_corner,
    "characters": occlusion.characters,
}
DETERMINISTIC = frozenset(KINDS) - {
    *("gaussian_noise", "speckle_noise", "impulse_noise", "shot_noise", "motion_blur"),
    *("stain_deposit", "bubble", "characters"),
}


@dataclass(frozen=True, slots=True)
class Corruption:
    """One kind with its parameter and the seed of its random part: the same value makes the same picture."""

    kind: str
    parameter: Parameter
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigurationError(f"kind {self.kind}", "is no corruption", f"Use {', '.join(KINDS)}.")

    def row(self) -> dict[str, Any]:
        """For a manifest."""
        return asdict(self)


def corrupt(picture: NDArray[Any], corruption: Corruption) -> Picture:
    """(H, W) or (H, W, 3) uint8 in, the same shape out. A grey picture is corrupted in colour and made grey again.

    Raises InputError for other arrays, ConfigurationError where the parameter does not suit the kind.
    """
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] != 3):
        raise InputError(
            "picture", f"is {picture.dtype} {picture.shape}", "Give 8-bit (rows, columns) or (rows, columns, 3)."
        )
    grey = picture.ndim == 2
    whole = np.repeat(picture[..., None], 3, axis=2) if grey else picture
    try:
        changed = KINDS[corruption.kind](whole, corruption.parameter, np.random.default_rng(corruption.seed))
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"{corruption.kind} {corruption.parameter}", f"cannot be applied ({error})", "Use the table's parameters."
        ) from error
    return _grey(changed) if grey else np.ascontiguousarray(changed)


def corrupt_set(
    pictures: NDArray[np.uint8], table: CorruptionSet, kind: str, *, seed: int = 0
) -> tuple[NDArray[np.uint8], list[dict[str, Any]]]:
    """(N, H, W[, 3]) -> (5 N, ...) in order of severity, and a manifest row per picture (index, severity, corruption).

    Picture n at severity s is drawn from (seed, s, n) alone, so that parts of a set give the same pictures.
    """
    made, rows = [], []
    for severity in range(1, LEVELS + 1):
        for number, picture in enumerate(pictures):
            one = Corruption(kind, table.parameter(kind, severity), _seed(seed, kind, severity, number))
            made.append(corrupt(picture, one))
            rows.append({"index": number, "severity": severity, **one.row()})
    return np.stack(made), rows


def _seed(*parts: int | str) -> int:
    words = [part if isinstance(part, int) else int.from_bytes(part.encode(), "little") for part in parts]
    return int(np.random.SeedSequence(words).generate_state(1)[0])


def _grey(picture: Picture) -> Picture:
    from PIL import Image

    return np.asarray(Image.fromarray(picture).convert("L"))
