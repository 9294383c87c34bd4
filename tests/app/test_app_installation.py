"""What the core install may bring (the lock is the promise)."""

from __future__ import annotations

import re
from pathlib import Path

from groundglass.app.installation import core_megabytes, unwanted_distributions

ROOT = Path(__file__).parents[2]


def locked(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_nothing_unwanted_is_installed_or_locked() -> None:
    assert unwanted_distributions() == []
    names = {**locked("requirements.lock"), **locked("requirements-dev.lock")}
    assert not [name for name in names if re.match(r"torchvision|torchaudio|nvidia-|triton", name)]


def test_core_install_is_under_1800_megabytes() -> None:
    size = core_megabytes(sorted(locked("requirements.lock")))
    assert 500 < size <= 1800


def test_every_direct_dependency_is_locked() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    direct = {re.split(r"[<>=]", line)[0].lower() for line in project["dependencies"]}
    assert direct <= set(locked("requirements.lock"))
    lines = [line for lines in project["optional-dependencies"].values() for line in lines]
    # An extra may name other extras of the package itself.
    extras = {re.split(r"[<>=]", line)[0].lower() for line in lines if not line.startswith("groundglass[")}
    assert extras <= set(locked("requirements-dev.lock")) | direct


def test_the_lock_serves_no_index() -> None:
    text = (ROOT / "requirements.lock").read_text() + (ROOT / "requirements-dev.lock").read_text()
    assert "://" not in text
