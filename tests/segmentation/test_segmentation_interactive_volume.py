"""A session whose engine answers the whole volume."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool3d

from groundglass.core import ConfigurationError, Image, ModelCitation, UnsupportedError
from groundglass.nets.volume_sam.model import VolumeSam
from groundglass.segmentation.interactive import Session, VolumeSamEngine

CITED = ModelCitation("test", "1")


class Threshold(nn.Module):
    """In a trained network's place: bright cells of four voxels are inside. Only the geometry is tested with it."""

    side = 32

    def image_encoder(self, cube: torch.Tensor) -> torch.Tensor:
        return cube

    def answer(
        self, features: torch.Tensor, points: torch.Tensor, labels: torch.Tensor, previous: torch.Tensor
    ) -> torch.Tensor:
        return avg_pool3d((features > 0).float(), 4) * 20 - 10


def tube() -> Image:
    """A bright square tube along an oblique first axis, three cubes long."""
    volume = np.random.default_rng(0).uniform(1, 2, (96, 40, 40)).astype(np.float32)
    volume[4:92, 16:24, 16:24] += 100
    turn = np.deg2rad(20)
    affine = np.diag([1.5, 1.5, 1.5, 1.0])
    affine[:2, :2] = 1.5 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return Image.of(volume, affine, modality="MR")


def test_one_click_is_followed_beyond_the_cube() -> None:
    image = tube()
    session = Session(image, engine=VolumeSamEngine(Threshold(), CITED))  # type: ignore[arg-type]
    session.click((20, 48), slice=20)
    truth = image.array[0] > 50
    assert 2 * (session.mask & truth).sum() / (session.mask.sum() + truth.sum()) > 0.85
    assert session.mask[6, 20, 20] and session.mask[90, 20, 20]
    before = session.mask
    session.propagate()
    assert np.array_equal(session.mask, before)


def test_a_real_network_replays_and_undoes_to_the_bit() -> None:
    torch.manual_seed(0)
    network = VolumeSam(
        side=32, patch=8, width=24, depth=2, heads=2, window=3, whole=(1,), prompt_width=48, decoder_hidden=32
    )
    engine, image = VolumeSamEngine(network, CITED), tube()
    session = Session(image, engine=engine)
    session.click((20, 48), slice=20)
    first = session.mask
    session.scribble([(10, 40), (14, 44)], positive=False, slice=21)
    session.click((22, 50), slice=19)
    second = session.mask
    assert first[48, 20, 20] and second[50, 22, 19] and not second[42, 12, 21]
    assert np.array_equal(Session.replay(image, session.prompts, engine=engine).mask, second)
    session.undo(), session.undo()
    assert np.array_equal(session.mask, first)


def test_what_the_engine_cannot_do_is_said() -> None:
    engine = VolumeSamEngine(Threshold(), CITED)  # type: ignore[arg-type]
    session = Session(tube(), engine=engine)
    with pytest.raises(ConfigurationError, match="Click inside"):
        session.click((20, 48), positive=False, slice=20)
    with pytest.raises(UnsupportedError, match="box"):
        session.box((10, 10, 20, 20), slice=20)
    assert session.revision == 0
    with pytest.raises(UnsupportedError, match="no volume"):
        Session(np.zeros((40, 40)), engine=engine).click((5, 5))
