"""Child processes that decode: started when first needed, kept for the next file, killed when they hang."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import InputError
from groundglass.io.codec_worker import read_message, write_message

_SCRIPT = Path(__file__).with_name("codec_worker.py")
# Slow machines decode some MB a second; a frame of 8192 x 8192 pixels needs seconds.
_SECONDS = 20.0
_SECONDS_PER_BYTE = 1e-6
_MAX_IDLE = 4

_idle: list[_Worker] = []
_lock = threading.Lock()


class DecoderCrash(Exception):  # noqa: N818 - internal: the caller turns it into the typed error of its file
    """A child process died or was killed while it decoded."""


class _Worker:
    """One child process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def ask(self, fields: dict[str, Any], content: bytes, seconds: float) -> tuple[dict[str, Any], bytes]:
        """The child's answer. Raises DecoderCrash when there is none in time."""
        assert self._process.stdin is not None and self._process.stdout is not None
        timer = threading.Timer(seconds, self._process.kill)
        timer.start()
        try:
            write_message(self._process.stdin, fields, content)  # type: ignore[arg-type]
            answer = read_message(self._process.stdout)  # type: ignore[arg-type]
        except (OSError, ValueError) as error:
            raise DecoderCrash("the decoder stopped") from error
        finally:
            expired = not timer.is_alive()
            timer.cancel()
        if answer is None:
            raise DecoderCrash(f"the decoder took more than {seconds:.0f} s" if expired else "the decoder crashed")
        return answer

    def close(self) -> None:
        self._process.kill()
        with suppress(OSError):
            self._process.communicate(timeout=5)


def decode_apart(
    transfer_syntax: str, plugin: str, options: dict[str, Any], content: bytes, label: str
) -> NDArray[Any]:
    """The array that pydicom's decoder gives for encapsulated `content`, decoded in a child process.

    Raises InputError when the decoder refuses, crashes or hangs; the calling process is never harmed.
    """
    with _lock:
        worker = _idle.pop() if _idle else None
    worker = worker or _Worker()
    pixels = options["rows"] * options["columns"] * options["samples_per_pixel"] * options["number_of_frames"]
    fields = {"transfer_syntax": transfer_syntax, "plugin": plugin, "options": options}
    try:
        answer, body = worker.ask(fields, content, _SECONDS + pixels * _SECONDS_PER_BYTE)
    except DecoderCrash as error:
        worker.close()
        raise InputError(label, f"its pixels cannot be decoded ({error})", "Export it again.") from error
    except BaseException:
        worker.close()
        raise
    _give_back(worker)
    if "error" in answer:
        raise InputError(label, f"its pixels cannot be decoded ({answer['error']})", "Export it again.")
    return np.frombuffer(body, dtype=np.dtype(answer["dtype"])).reshape(answer["shape"])


def _give_back(worker: _Worker) -> None:
    with _lock:
        if len(_idle) < _MAX_IDLE:
            _idle.append(worker)
            return
    worker.close()
