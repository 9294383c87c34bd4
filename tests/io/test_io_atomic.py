"""Files are written whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from groundglass.core.errors import InputError
from groundglass.io.atomic import atomic_path, write_bytes_atomic, write_text_atomic


def test_writes_and_replaces(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "er" / "report.nii.gz"
    with atomic_path(target) as temporary:
        assert temporary.parent == target.parent
        assert temporary.name.endswith(".nii.gz")
        temporary.write_bytes(b"one")
        assert not target.exists()
    assert target.read_bytes() == b"one"
    write_text_atomic(target, "zwei\r\nπ\n")
    assert target.read_bytes() == "zwei\r\nπ\n".encode()
    assert list(target.parent.iterdir()) == [target]


def test_error_in_the_block_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text_atomic(target, "old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_mode_follows_umask_and_the_replaced_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    old = os.umask(0o027)
    try:
        write_text_atomic(target, "x")
    finally:
        os.umask(old)
    assert target.stat().st_mode & 0o777 == 0o640
    target.chmod(0o600)
    write_text_atomic(target, "y")
    assert target.stat().st_mode & 0o777 == 0o600


def test_refusals_are_typed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        write_bytes_atomic(tmp_path, b"")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        write_bytes_atomic(tmp_path / "file" / "below", b"")
    with pytest.raises(InputError, match="was not written"), atomic_path(tmp_path / "never"):
        pass


def test_long_names_fit(tmp_path: Path) -> None:
    for stem in ("n" * 250, "肺" * 83):
        target = tmp_path / f"{stem}.txt"
        write_text_atomic(target, "x")
        assert target.read_text() == "x"


def test_an_error_about_another_file_is_not_blamed_on_this_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.txt"):
        (tmp_path / "other" / "input.txt").read_text()
    assert list(tmp_path.iterdir()) == []


def test_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """A file-size limit makes the kernel refuse the write as a full disk does."""
    code = """
        import resource, signal, sys
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        from groundglass.core.errors import InputError
        from groundglass.io.atomic import write_bytes_atomic
        try:
            write_bytes_atomic(sys.argv[1], b"x" * 5000)
        except InputError:
            sys.exit(7)
    """
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(target)], check=False)
    assert done.returncode == 7
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_kill_leaves_the_old_file(tmp_path: Path) -> None:
    code = """
        import os, signal, sys
        from groundglass.io.atomic import atomic_path
        with atomic_path(sys.argv[1]) as temporary:
            temporary.write_bytes(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(target)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"old"
