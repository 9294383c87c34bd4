"""The feature store: keys by content, one call of the encoder per image, whole files, errors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.generative import FeatureStore, content_key


class Counting:
    """An encoder that counts what it was given."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, images: list[np.ndarray]) -> np.ndarray:
        self.batches.append(len(images))
        return np.stack([[i.mean(), i.std(), i.max()] for i in images])


def images_of(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).random((count, 8, 9)).astype(np.float32))


def test_each_image_is_encoded_once_in_its_order(tmp_path: Path) -> None:
    encoder, images = Counting(), images_of(7)
    store = FeatureStore(tmp_path, "moments@1")
    mixed = [images[0], *images, images[3]]
    first = store.features(mixed, encoder, batch_size=3)
    assert encoder.batches == [3, 3, 1] and len(store) == 7
    expected = np.stack([[i.mean(), i.std(), i.max()] for i in mixed]).astype(np.float32)
    assert np.array_equal(first, expected)
    again = FeatureStore(tmp_path, "moments@1").features(reversed(mixed), encoder)
    assert encoder.batches == [3, 3, 1] and np.array_equal(again, first[::-1])
    assert not list(tmp_path.rglob("*.tmp"))


def test_keys_are_of_type_shape_and_pixels() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    keys = {
        content_key(image),
        content_key(image.reshape(4, 3)),
        content_key(image.astype(np.uint16)),
        content_key(image + np.uint8(1)),
    }
    assert len(keys) == 4
    assert content_key(image.astype(">u2")) == content_key(image.astype("<u2"))
    assert content_key(np.asfortranarray(image)) == content_key(image)
    with pytest.raises(InputError, match="numbers"):
        content_key(np.array(["a"]))


def test_another_encoder_has_entries_of_its_own(tmp_path: Path) -> None:
    encoder, images = Counting(), images_of(2)
    FeatureStore(tmp_path, "one").features(images, encoder)
    FeatureStore(tmp_path, "two").features(images, encoder)
    assert encoder.batches == [2, 2]
    assert sorted(p.name for p in tmp_path.rglob("encoder.json")) == ["encoder.json"] * 2


def test_an_encoder_that_fails_leaves_what_was_done(tmp_path: Path) -> None:
    store, images = FeatureStore(tmp_path, "x"), images_of(5)

    def tired(batch: list[np.ndarray]) -> np.ndarray:
        if any(np.array_equal(image, images[3]) for image in batch):
            raise RuntimeError("tired")
        return Counting()(batch)

    with pytest.raises(RuntimeError):
        store.features(images, tired, batch_size=1)
    encoder = Counting()
    assert len(store) == 3
    store.features(images, encoder)
    assert encoder.batches == [2]


def test_many_writers_at_once(tmp_path: Path) -> None:
    images = images_of(40)
    with ThreadPoolExecutor(4) as pool:
        results = list(
            pool.map(lambda _: FeatureStore(tmp_path, "x").features(images, Counting(), batch_size=5), range(4))
        )
    assert all(np.array_equal(result, results[0]) for result in results) and len(FeatureStore(tmp_path, "x")) == 40


def test_damage_and_wrong_encoders_are_named(tmp_path: Path) -> None:
    store, images = FeatureStore(tmp_path, "x"), images_of(2)
    store.features(images, Counting())
    path = next(store.folder.glob("??/*.npy"))
    path.write_bytes(path.read_bytes()[:90])
    with pytest.raises(InputError, match="damaged"):
        store.features(images, Counting())
    path.unlink()
    with pytest.raises(InputError, match="widths"):
        store.features(images, lambda batch: np.ones((len(batch), 2)))
    for encode in (lambda b: np.ones(3), lambda b: np.full((len(b), 3), np.nan), lambda b: np.ones((len(b) + 1, 3))):
        with pytest.raises(InputError):
            FeatureStore(tmp_path, "bad").features(images, encode)
    assert len(FeatureStore(tmp_path, "bad")) == 0
    with pytest.raises(ConfigurationError, match="empty"):
        FeatureStore(tmp_path, " ")
    with pytest.raises(InputError, match="none"):
        store.features([], Counting())
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        FeatureStore(tmp_path / "file", "x")
