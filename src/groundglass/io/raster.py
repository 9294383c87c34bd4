"""PNG, JPEG, TIFF and their like through Pillow: no patient space, pixel size unknown."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageOps
from numpy.typing import NDArray

from groundglass.core import Acquisition, Image, InputError, TruncatedError, UnsafeInputError, UnsupportedError

# 2^28 pixels: a slide's overview still fits, a forged header does not exhaust the memory.
MAX_PIXELS = 1 << 28
_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)


def read_raster(path: Path, label: str | None = None) -> Image:
    """A flat image (C, row, column), or (C, page, row, column) for a multi-page TIFF of equal pages.

    Grey values keep their depth, palettes become RGB, transparency is put on black and stated; the EXIF
    orientation is applied. Raises UnsupportedError, TruncatedError, UnsafeInputError.
    """
    label = str(path) if label is None else label
    with _opened(path, label) as picture:
        pages = int(getattr(picture, "n_frames", 1))
        size = picture.size
        mode = picture.mode
        turn = _exif_orientation(picture)
        remarks = _remarks(picture)
        form = picture.format or ""
    if size[0] * size[1] * pages > MAX_PIXELS:
        raise UnsafeInputError(label, f"claims {size[0]} x {size[1]} x {pages} pixels", "Cut it into tiles.")
    rows, columns = (size[0], size[1]) if turn in _TURNED else (size[1], size[0])
    channels = 3 if _is_colour(mode) or _deep_colour_channels(path) == 3 else 1
    shape = (rows, columns) if pages == 1 else (pages, rows, columns)
    return Image(
        name=label,
        shape=shape,
        affine=np.eye(4),
        load=lambda: _load(path, label, pages, (channels, *shape)),
        channels=channels,
        spacing_known=False,
        orientation_known=False,
        time_axis=None if pages == 1 else 0,
        acquisition=Acquisition(facts={"format": form, "mode": mode}),
        source=(label,),
        warnings=tuple(remarks),
    )


def _opened(path: Path, label: str) -> PIL.Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return PIL.Image.open(path)
    except PIL.Image.DecompressionBombError as error:
        raise UnsafeInputError(label, "claims more pixels than are read", "Cut it into tiles.") from error
    except PIL.UnidentifiedImageError as error:
        raise UnsupportedError(label, "is not an image that can be read", "Save it as PNG or TIFF.") from error
    except Exception as error:
        raise InputError(label, f"cannot be opened ({type(error).__name__}: {error})", "Save it again.") from error


def _exif_orientation(picture: PIL.Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:
        # A damaged EXIF block does not make the pixels worse.
        return 1


def _remarks(picture: PIL.Image.Image) -> list[str]:
    remarks = ["no pixel spacing: lengths mean pixels"]
    if _has_alpha(picture.mode):
        remarks.append("transparency is left out")
    return remarks


def _has_alpha(mode: str) -> bool:
    return mode in ("RGBA", "LA", "PA", "La", "RGBa")


def _is_colour(mode: str) -> bool:
    return mode in ("RGB", "RGBA", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV", "RGBX", "RGBa")


def _load(path: Path, label: str, pages: int, shape: tuple[int, ...]) -> NDArray[Any]:
    if deep := _deep_colour_channels(path):
        return _load_deep_colour(path, label, deep)
    with _opened(path, label) as picture:
        try:
            planes = []
            for page in range(pages):
                if pages > 1:
                    picture.seek(page)
                planes.append(_plane(picture))
        except (OSError, EOFError, SyntaxError, ValueError) as error:
            raise TruncatedError(label, f"its pixels cannot be read ({error})", "Save it again.") from error
        except Exception as error:
            raise InputError(
                label, f"its pixels cannot be read ({type(error).__name__}: {error})", "Save it again."
            ) from error
    if any(plane.shape != planes[0].shape for plane in planes):
        raise UnsupportedError(label, "has pages of different sizes", "Save each page as an image.")
    return (planes[0] if pages == 1 else np.stack(planes, axis=1)).reshape(shape)


def _deep_colour_channels(path: Path) -> int:
    """Channels without transparency of a 16-bit PNG of several samples, which Pillow would read at 8 bits; else 0."""
    with path.open("rb") as file:
        head = file.read(26)
    if head[:8] != b"\x89PNG\r\n\x1a\n" or len(head) < 26 or head[24] != 16:
        return 0
    return {2: 3, 4: 1, 6: 3}.get(head[25], 0)


def _load_deep_colour(path: Path, label: str, channels: int) -> NDArray[Any]:
    import SimpleITK as sitk

    try:
        array = sitk.GetArrayFromImage(sitk.ReadImage(str(path), imageIO="PNGImageIO"))
    except Exception as error:
        raise TruncatedError(label, "its pixels cannot be read", "Save it again.") from error
    return np.moveaxis(array[..., :channels], -1, 0)


def _plane(picture: PIL.Image.Image) -> NDArray[Any]:
    """(C, row, column) of the current page, upright."""
    turned = PIL.ImageOps.exif_transpose(picture)
    if _is_colour(turned.mode):
        return np.moveaxis(np.asarray(turned.convert("RGB")), -1, 0)
    if turned.mode in ("1", "LA", "La"):
        turned = turned.convert("L")
    array = np.asarray(turned)
    if turned.mode == "I" and array.size and array.min() >= 0 and array.max() <= 0xFFFF:
        array = array.astype(np.uint16)
    return np.array(array[None])
