"""What the long-lived child processes of a command have in common: they end with it, and their memory is watched."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path


def die_with_parent() -> None:
    """Called in the child: it will leave no orphan that goes on to write, nor one among the processes it started."""
    # Its own group: whoever kills it kills the processes that it started (decoders, engines), too.
    with suppress(AttributeError):  # not on Windows
        os.setpgid(0, 0)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        with suppress(AttributeError):
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def end_at_once(process: BaseProcess) -> None:
    """Kill a child and the processes that it started, which outlive it when it crashed."""
    if process.pid is not None:
        # It has a group of its own once it runs; before that there is none, and after that there may be nobody in it.
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
