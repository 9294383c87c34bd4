"""JPEG-LS by the CharLS library that pyjpegls brings, called so that other threads run meanwhile.

pyjpegls holds Python's global lock while it decodes. Its compiled module also exports CharLS' own C functions
(CharLS 2, `charls_legacy.h`), which ctypes calls without the lock: a series is decoded on all cores. Where a wheel does
not export them, pyjpegls decodes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

# JlsParameters begins with width, height and bits per sample as C ints; all of it is smaller than this.
_PARAMETERS_BYTES = 512
_COMPONENTS_AT = 4


def decode_jpeg_ls(stream: bytes, shape: tuple[int, int]) -> NDArray[Any]:
    """uint8 or uint16 samples of a grey JPEG-LS stream of `shape` (rows, columns).

    The stream must end with its end marker (`codestream.with_end`): without one, CharLS takes seconds to refuse it.
    Raises ValueError for a damaged stream, and before anything is allocated for one that claims another size.
    """
    return _decoder()(stream, shape)


@cache
def _decoder() -> Callable[[bytes, tuple[int, int]], NDArray[Any]]:
    import _CharLS

    library = ctypes.CDLL(_CharLS.__file__)
    if hasattr(library, "JpegLsDecode") and hasattr(library, "JpegLsReadHeader"):
        return _WithoutLock(library)
    from jpeg_ls import decode

    return lambda stream, _shape: np.asarray(decode(np.frombuffer(stream, dtype=np.uint8)))


class _WithoutLock:
    """CharLS through ctypes."""

    def __init__(self, library: ctypes.CDLL) -> None:
        size, pointer = ctypes.c_size_t, ctypes.c_void_p
        self._header, self._decode = library.JpegLsReadHeader, library.JpegLsDecode
        self._header.argtypes = (ctypes.c_char_p, size, pointer, ctypes.c_char_p)
        self._decode.argtypes = (pointer, size, ctypes.c_char_p, size, pointer, ctypes.c_char_p)
        self._header.restype = self._decode.restype = ctypes.c_int

    def __call__(self, stream: bytes, shape: tuple[int, int]) -> NDArray[Any]:
        message = ctypes.create_string_buffer(256)
        parameters = (ctypes.c_int * (_PARAMETERS_BYTES // ctypes.sizeof(ctypes.c_int)))()
        self._checked(self._header(stream, len(stream), parameters, message), message)
        columns, rows, bits = parameters[:3]
        if (rows, columns) != shape or parameters[_COMPONENTS_AT] != 1:
            raise ValueError(f"{rows} x {columns} x {parameters[_COMPONENTS_AT]} samples, not {shape[0]} x {shape[1]}")
        plane = np.empty(shape, dtype=np.uint8 if bits <= 8 else np.uint16)
        done = self._decode(plane.ctypes.data, plane.nbytes, stream, len(stream), None, message)
        self._checked(done, message)
        return plane

    @staticmethod
    def _checked(code: int, message: ctypes.Array[ctypes.c_char]) -> None:
        if code != 0:
            raise ValueError(message.value.decode("ascii", "replace") or f"CharLS error {code}")
