"""Shared fixtures. Open data is found by the environment variable GROUNDGLASS_DATA."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of curated open data; the test is skipped where it is not at hand."""
    folder = os.environ.get("GROUNDGLASS_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs the curated open data: set GROUNDGLASS_DATA to its folder")
    return Path(folder)
