"""A real server on a free port, its data in a temporary folder, and small studies to send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")

from serving import Running, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("served")) as held:
        yield held


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., Any]:
    """Start a server with its own settings: `with serve(token=...) as held`."""
    return lambda **options: running(tmp_path / "data", **options)


@pytest.fixture(scope="session")
def radiograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated radiograph as DICOM."""
    from groundglass.synthesis import write_sample_radiograph

    path = tmp_path_factory.mktemp("sample") / "chest.dcm"
    write_sample_radiograph(path)
    return path


@pytest.fixture(scope="session")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small volume with a bright ball at (12, 16, 8) and an oblique affine."""
    import nibabel
    import numpy as np

    i, j, k = np.indices((28, 32, 18))
    ball = (i - 12) ** 2 + (j - 16) ** 2 + (k - 8) ** 2 * 1.5 <= 36
    noise = np.random.default_rng(0).normal(0, 8, ball.shape)
    affine = np.array([[-1.2, 0.1, 0, 20], [0.1, 1.2, 0, -30], [0, 0, 2.0, 5], [0, 0, 0, 1]])
    path = tmp_path_factory.mktemp("volume") / "ball.nii.gz"
    nibabel.save(nibabel.Nifti1Image((100 + 150 * ball + noise).astype(np.int16), affine), path)
    return path
