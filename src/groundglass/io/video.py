"""Video as an image in time, through PyAV (extra `video`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Acquisition, ConfigurationError, Image, InputError, UnsafeInputError

# Decoded frames that are kept; longer videos are thinned out evenly, which is stated.
MAX_BYTES = 2 << 30
_MAX_SIDE = 16384


def read_video(path: Path, label: str | None = None) -> Image:
    """(3, frame, row, column) uint8 with `time_axis` 0; `facts["FrameTime"]` is ms between the kept frames.

    Raises ConfigurationError without PyAV, InputError for a file that cannot be decoded.
    """
    label = str(path) if label is None else label
    frames, rows, columns, rate = _probe(path, label)
    keep_every = -(-frames * rows * columns * 3 // MAX_BYTES)
    kept = -(-frames // keep_every)
    remarks = ["no pixel spacing: lengths mean pixels"]
    if keep_every > 1:
        remarks.append(f"one of every {keep_every} frames is read")
    return Image(
        name=label,
        shape=(kept, rows, columns),
        affine=np.eye(4),
        load=lambda: _load(path, label, (kept, rows, columns), keep_every),
        channels=3,
        spacing_known=False,
        orientation_known=False,
        time_axis=0,
        acquisition=Acquisition(facts={"FrameTime": 1000.0 * keep_every / rate} if rate else {}),
        source=(label,),
        warnings=tuple(remarks),
    )


def _open(path: Path, label: str) -> Any:
    try:
        import av
    except ImportError as error:
        raise ConfigurationError(
            label, "is a video, and PyAV is not installed", "pip install 'groundglass[video]'"
        ) from error
    try:
        return av.open(str(path))
    except Exception as error:
        raise InputError(label, f"cannot be opened as a video ({error})", "Convert it to MP4.") from error


def _probe(path: Path, label: str) -> tuple[int, int, int, float]:
    """(frames, rows, columns, frames per second); the packets are counted, as headers may not say."""
    with _open(path, label) as container:
        if not container.streams.video:
            raise InputError(label, "holds no video", "Pass a video file.")
        stream = container.streams.video[0]
        rows, columns = stream.codec_context.height, stream.codec_context.width
        rate = float(stream.average_rate or 0)
        if not 0 < rows <= _MAX_SIDE or not 0 < columns <= _MAX_SIDE:
            raise UnsafeInputError(label, f"claims frames of {columns} x {rows} pixels", "Convert it to MP4.")
        try:
            frames = sum(1 for packet in container.demux(stream) if packet.size)
        except Exception as error:
            raise InputError(label, f"is damaged ({error})", "Copy it again.") from error
    if frames == 0:
        raise InputError(label, "holds no frames", "Copy it again.")
    return frames, rows, columns, rate


def _load(path: Path, label: str, shape: tuple[int, int, int], keep_every: int) -> NDArray[Any]:
    out = np.zeros((*shape, 3), dtype=np.uint8)
    done = 0
    with _open(path, label) as container:
        try:
            for number, frame in enumerate(container.decode(video=0)):
                if number % keep_every == 0 and done < shape[0]:
                    out[done] = frame.to_ndarray(format="rgb24", width=shape[2], height=shape[1])
                    done += 1
        except Exception as error:
            raise InputError(label, f"frame {done} cannot be decoded ({error})", "Copy it again.") from error
    if done < shape[0]:
        raise InputError(label, f"holds {done} frames that can be decoded, not {shape[0]}", "Convert it to MP4.")
    return np.moveaxis(out, -1, 0)
