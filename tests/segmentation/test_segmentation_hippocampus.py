"""Hippocampus: the shipped network on crops it never saw, the file's grid, the recipe's images of label maps alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from groundglass.core import ConfigurationError, GeometryError, Image
from groundglass.models import load_model
from groundglass.segmentation import segment_hippocampus
from groundglass.segmentation.hippocampus_training import SHAPE, HippocampusBatches, evaluate, load_cases
from groundglass.synthesis import surroundings_of
from groundglass.synthesis.hippocampus_surroundings import lean_of, mean_label_map


@pytest.fixture(scope="module")
def folder(data: Path) -> Path:
    return data / "hippocampus-msd"


def test_the_shipped_network_reaches_its_figure_on_the_test_split(folder: Path) -> None:
    dice = evaluate(load_model("hippocampus").network, load_cases(folder, "test"))
    assert dice.shape == (19, 2)
    assert dice.mean() == pytest.approx(0.870, abs=0.005)
    assert dice.min() > 0.6


def test_labels_lie_on_the_files_grid_whatever_its_axes(folder: Path) -> None:
    case = load_cases(folder, "test")[0]
    pixels = case.image[case.slices]
    plain = segment_hippocampus(Image.of(pixels, np.eye(4), modality="MR"))
    assert plain.shape == pixels.shape
    assert set(np.unique(plain)) == {0, 1, 2}
    # Stored as (S, L, P) instead of (R, A, S): the same patient.
    turned = np.ascontiguousarray(pixels.transpose(2, 0, 1)[:, ::-1, ::-1])
    affine = np.zeros((4, 4))
    affine[2, 0], affine[0, 1], affine[1, 2], affine[3, 3] = 1, -1, -1, 1
    affine[:2, 3] = np.array(pixels.shape[:2]) - 1
    again = segment_hippocampus(Image.of(turned, affine, modality="MR"))
    np.testing.assert_array_equal(again, plain.transpose(2, 0, 1)[:, ::-1, ::-1])


def test_the_other_side_is_its_mirror_image(folder: Path) -> None:
    case = load_cases(folder, "test")[1]
    pixels = case.image[case.slices]
    plain = segment_hippocampus(Image.of(pixels, np.eye(4)))
    mirrored = segment_hippocampus(Image.of(pixels[::-1].copy(), np.eye(4)))
    assert (mirrored[::-1] == plain).mean() > 0.999


def test_a_whole_head_is_no_crop() -> None:
    with pytest.raises(GeometryError, match="no crop"):
        segment_hippocampus(Image.of(np.ones((181, 217, 181), dtype=np.float32), np.eye(4)))


def test_the_recipe_asks_for_its_data(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"splits\.csv"):
        load_cases(tmp_path, "train")


def test_surroundings_have_the_structure_taken_out_and_follow_its_axis(folder: Path) -> None:
    cases = load_cases(folder, "train")[:8]
    label_maps = [case.labels for case in cases]
    found = surroundings_of(label_maps)
    shares = found.tissue.numpy()
    assert shares.min() >= 0
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=0.02)
    still = torch.zeros((3, *SHAPE))
    around = [found.around(case.labels, still, turn=np.eye(3)).numpy() for case in cases]
    # The parahippocampal cortex lies below, white matter above; where the grey structure was, there is less grey now.
    pairs = list(zip(around, cases, strict=True))
    below, above = (
        np.mean([a[:, np.roll(c.labels > 0, step, axis=2) & (c.labels == 0)].mean(axis=1) for a, c in pairs], axis=0)
        for step in (-5, 5)
    )
    inside = np.mean([a[1][c.labels > 0].mean() for a, c in pairs])
    assert below[1] > 0.5 > inside
    assert above[2] > 0.5
    assert np.rad2deg(abs(lean_of((mean_label_map(label_maps) > 0.5).astype(np.uint8)) - found.lean)) < 1e-6


@pytest.mark.parametrize("kind", ["real", "synthetic", "one contrast"])
def test_batches_are_replayed_from_their_number(folder: Path, kind: str) -> None:
    cases = load_cases(folder, "train")[:6]
    around = None if kind == "real" else surroundings_of([case.labels for case in cases])
    stream = HippocampusBatches(cases, kind, 5, surroundings=around)  # type: ignore[arg-type]
    first = iter(stream)
    _, second = next(first), next(first)
    again = next(iter(stream.starting_at(1)))
    torch.testing.assert_close(second["image"], again["image"], rtol=0, atol=0)
    assert torch.equal(second["structures"], again["structures"])
    assert second["image"].shape == (2, 1, *SHAPE)
    assert torch.isfinite(second["image"]).all()
    assert set(second["structures"].unique().tolist()) == {0, 1, 2}
