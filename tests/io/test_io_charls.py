"""JPEG-LS decoding without Python's lock, against pyjpegls and on damaged streams."""

from __future__ import annotations

import threading
import time

import jpeg_ls
import numpy as np
import pytest

from groundglass.io.charls import decode_jpeg_ls
from groundglass.io.codestream import with_end


def smooth(shape: tuple[int, int], top: int, seed: int) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    noise = np.random.default_rng(seed).integers(0, top // 16, shape)
    return ((x + 2 * y) * top // (4 * sum(shape)) + noise).astype(np.uint8 if top <= 255 else np.uint16)


@pytest.mark.parametrize("top", [255, 4095, 65535])
@pytest.mark.parametrize("shape", [(33, 64), (512, 512), (101, 7)])
def test_values_are_those_that_were_encoded(shape: tuple[int, int], top: int) -> None:
    plane = smooth(shape, top, seed=1)
    stream = jpeg_ls.encode(plane).tobytes()
    found = decode_jpeg_ls(stream, shape)
    assert found.dtype == plane.dtype
    assert np.array_equal(found, plane)
    assert np.array_equal(found, np.asarray(jpeg_ls.decode(np.frombuffer(stream, dtype=np.uint8))))


def test_damaged_streams_are_refused_or_decoded_but_never_crash() -> None:
    stream = jpeg_ls.encode(smooth((128, 96), 4095, seed=2)).tobytes()
    rng = np.random.default_rng(3)
    refused = 0
    for number in range(600):
        damaged = bytearray(stream[: rng.integers(1, len(stream))] if number % 3 == 0 else stream)
        for _ in range(int(rng.integers(1, 8))):
            damaged[int(rng.integers(0, len(damaged)))] = int(rng.integers(0, 256))
        try:
            decode_jpeg_ls(with_end(bytes(damaged)), (128, 96))
        except ValueError:
            refused += 1
    assert refused > 300


def test_another_thread_runs_while_a_frame_is_decoded() -> None:
    stream = jpeg_ls.encode(smooth((2048, 2048), 4095, seed=4)).tobytes()
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.wait(0.001):
            ticks.append(time.perf_counter())

    thread = threading.Thread(target=tick)
    thread.start()
    started = time.perf_counter()
    decode_jpeg_ls(stream, (2048, 2048))
    ended = time.perf_counter()
    done.set()
    thread.join()
    assert sum(started < t < ended for t in ticks) >= 3


def test_another_size_than_was_claimed_is_refused_before_it_is_allocated() -> None:
    with pytest.raises(ValueError, match="64 x 33"):
        decode_jpeg_ls(jpeg_ls.encode(smooth((64, 33), 255, seed=5)).tobytes(), (33, 64))
