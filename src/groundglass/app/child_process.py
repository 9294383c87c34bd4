"""What the long-lived child processes of a command have in common: they end with it, and their memory is watched."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Called in the child: it will leave no orphan that goes on to write.

    On Linux not even one that is stuck in compiled code: the kernel ends it with the thread that started it, which must
    therefore live as long as the child is wanted.
    """
    # Its own group: whoever kills it kills the processes that it started (decoders, engines), too.
    with suppress(AttributeError):  # not on Windows
        os.setpgid(0, 0)
    parent = multiprocessing.parent_process()
    assert parent is not None
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        parent.join()
        with suppress(AttributeError):
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def end_at_once(process: BaseProcess) -> None:
    """Kill a child and, once it has a group of its own, the processes that it started."""
    if process.pid is not None and process.is_alive():
        with suppress(OSError, AttributeError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    # One that the kernel cannot end (a dead network drive) does not hold up its parent.
    process.join(10)


def resident_bytes(pid: int | None = None) -> int:
    """The memory that a process (this one) holds now; 0 where the system does not say (Linux does)."""
    try:
        pages = int(Path(f"/proc/{pid or 'self'}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_bytes() -> int:
    """The most memory that this process held at any time."""
    import resource  # not on Windows

    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
