"""Features on disk, so that an encoder sees each image once.

A feature is found by the encoder's identity and the content of the image (type, shape and pixels), not by a file name:
a changed image or another revision of the weights is another entry. Each entry is a file of its own, written under a
temporary name and renamed: several processes may fill one store, and a kill leaves no half entry.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import ConfigurationError, InputError

Features = NDArray[np.float32]
Encoder = Callable[[Sequence[NDArray[Any]]], ArrayLike]
_NAME = "encoder.json"


def content_key(image: ArrayLike) -> str:
    """SHA-256 of the image's type, shape and pixels, as hex."""
    array = np.ascontiguousarray(image)
    if array.dtype.kind not in "buifc":
        raise InputError("image", f"holds {array.dtype}, not numbers", "Pass pixel values.")
    # The byte order of the machine must not change the key.
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    digest = hashlib.sha256(f"{little.dtype.str} {array.shape} ".encode())
    digest.update(little.tobytes())
    return digest.hexdigest()


class FeatureStore:
    """The features of one encoder under `folder`.

    `encoder_id` must name everything that changes a feature: weights with their revision, image size, normalisation
    ("rad-dino@1c2d3e 518 px CLS"). Features are kept as 32-bit floats.
    """

    def __init__(self, folder: str | os.PathLike[str], encoder_id: str) -> None:
        """Open or make the store. Raises ConfigurationError for an empty id, InputError when it cannot be written."""
        if not encoder_id.strip():
            raise ConfigurationError("encoder_id", "is empty", "Name the weights, their revision and the image size.")
        self.encoder_id = encoder_id
        self.folder = Path(folder) / hashlib.sha256(encoder_id.encode()).hexdigest()[:16]
        label = self.folder / _NAME
        if not label.exists():
            _write(label, json.dumps({"encoder": encoder_id}, ensure_ascii=False).encode())

    def features(self, images: Iterable[ArrayLike], encode: Encoder, *, batch_size: int = 32) -> Features:
        """Features (N, D) of the images in their order; `encode` gets those that are not stored yet, in batches.

        `encode` takes a list of arrays and gives (B, D). Images are taken as they come: at most a batch of them is in
        memory, beside the features. Raises InputError when it gives another shape, NaN, or another width than before.
        """
        if batch_size < 1:
            raise ConfigurationError(f"batch_size {batch_size}", "is not a size", "Use 1 or more.")
        rows: dict[str, Features] = {}
        order: list[str] = []
        waiting: dict[str, NDArray[Any]] = {}
        for image in images:
            array = np.asarray(image)
            key = content_key(array)
            order.append(key)
            if key in rows or key in waiting:
                continue
            held = self.get(key)
            if held is not None:
                rows[key] = held
                continue
            waiting[key] = array
            if len(waiting) == batch_size:
                rows.update(self._encoded(waiting, encode))
                waiting = {}
        if waiting:
            rows.update(self._encoded(waiting, encode))
        if not order:
            raise InputError("images", "are none", "Pass at least one.")
        widths = {len(row) for row in rows.values()}
        if len(widths) > 1:
            raise InputError(
                self.folder, f"holds features of widths {sorted(widths)}", "Give another encoder another encoder_id."
            )
        return np.stack([rows[key] for key in order])

    def get(self, key: str) -> Features | None:
        """The feature (D,) of an image's `content_key`, or None. Raises InputError for a damaged entry."""
        path = self._path(key)
        try:
            with path.open("rb") as handle:
                found = np.load(handle, allow_pickle=False)
        except FileNotFoundError:
            return None
        except (ValueError, EOFError, OSError) as error:
            raise InputError(path, "is damaged", "Delete it: the image is encoded again.") from error
        if found.ndim != 1 or found.dtype != np.float32:
            raise InputError(path, "is not a feature", "Delete it: the image is encoded again.")
        return np.asarray(found)

    def put(self, key: str, feature: ArrayLike) -> None:
        """Keep the feature (D,) of an image's `content_key`. Raises InputError."""
        row = np.asarray(feature, dtype=np.float32)
        if row.ndim != 1 or row.size == 0 or not np.isfinite(row).all():
            raise InputError("feature", f"of shape {row.shape} is not a row of finite numbers", "Look at the encoder.")
        path = self._path(key)
        temporary = _temporary(path)
        try:
            with temporary.open("wb") as handle:
                np.save(handle, row, allow_pickle=False)
                _flush(handle.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def __len__(self) -> int:
        """Number of stored features."""
        return sum(1 for _ in self.folder.glob("??/*.npy"))

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.npy"

    def _encoded(self, waiting: dict[str, NDArray[Any]], encode: Encoder) -> dict[str, Features]:
        found = np.asarray(encode(list(waiting.values())), dtype=np.float32)
        if found.ndim != 2 or len(found) != len(waiting):
            raise InputError(
                f"encoder {self.encoder_id}",
                f"gave shape {found.shape} for {len(waiting)} images",
                "It has to give one row of features per image.",
            )
        for key, row in zip(waiting, found, strict=True):
            self.put(key, row)
        return dict(zip(waiting, found, strict=True))


def _write(path: Path, content: bytes) -> None:
    temporary = _temporary(path)
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(path.parent, f"cannot be made ({error.strerror})", "Choose a folder to write to.") from error
    return path.with_name(f".{secrets.token_hex(6)}.tmp")


def _flush(handle: int) -> None:
    os.fsync(handle)
