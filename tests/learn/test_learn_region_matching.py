"""Phrases to regions: the loss against its definition, and a scene of bright squares whose sentences say where."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from groundglass.core import ConfigurationError, InputError
from groundglass.learn.objectives.region_contrast import region_contrast
from groundglass.learn.region_matching import RegionExample, train_region_matching
from groundglass.nets.region_phrase_net import SHARPNESS, RegionPhraseNet

SIZE = 32


def test_the_loss_is_its_definition() -> None:
    rng = np.random.default_rng(0)
    regions, phrases = rng.normal(size=(3, 4, 5)), rng.normal(size=(3, 5))
    valid = np.ones((3, 4), dtype=bool)
    valid[1, 2:] = False
    same = np.zeros((3, 3), dtype=bool)
    same[0, 2] = same[1, 1] = True
    total = 0.0
    for number, phrase in enumerate(phrases):
        sums = np.zeros(3)
        for image in range(3):
            if same[number, image] and image != number:
                continue
            for region in regions[image][valid[image]]:
                cosine = region @ phrase / np.linalg.norm(region) / np.linalg.norm(phrase)
                sums[image] += np.exp(cosine / 0.2)
        total -= np.log(sums[number] / sums.sum())
    tensors = [torch.from_numpy(a) for a in (regions, valid, phrases)]
    found = region_contrast(*tensors, torch.arange(3), same=torch.from_numpy(same), temperature=0.2)
    assert float(found) == pytest.approx(total / 3, rel=1e-10)


def test_bad_input_is_named() -> None:
    regions, phrases, owner = torch.randn(2, 3, 4), torch.randn(2, 4), torch.arange(2)
    with pytest.raises(ConfigurationError, match="temperature"):
        region_contrast(regions, torch.ones(2, 3, dtype=torch.bool), phrases, owner, temperature=0)
    with pytest.raises(InputError, match="regions"):
        region_contrast(regions, torch.zeros(2, 3, dtype=torch.bool), phrases, owner)
    with pytest.raises(ConfigurationError, match="too few"):
        train_region_matching([_scene(0, 0)], folder=Path("unused"), steps=1)
    with pytest.raises(InputError, match="meanings"):
        replace(_scene(0, 0), meanings=("one",))


def test_pooling_lies_between_mean_and_maximum() -> None:
    net = RegionPhraseNet(3, features=8, size=4).eval()
    net.of_region = torch.nn.Identity()  # type: ignore[assignment]
    image, mask = torch.randn(1, 1, SIZE, SIZE), torch.zeros(1, 2, SIZE // 4, SIZE // 4)
    mask[0, 0, 2:5, 1:4] = 1
    mask[0, 1, 6, 6] = 1
    with torch.no_grad():
        pooled, features = net.regions(image, mask)[0], net.features(image)[0]
    inside = features[:, 2:5, 1:4].flatten(1)
    assert (pooled[0] >= inside.mean(dim=1) - 1e-5).all()
    assert (pooled[0] <= inside.max(dim=1).values + 1e-5).all()
    torch.testing.assert_close(pooled[0], (SHARPNESS * inside).exp().mean(dim=1).log() / SHARPNESS)
    torch.testing.assert_close(pooled[1], features[:, 6, 6])


def _scene(number: int, seed: int) -> RegionExample:
    """Four quadrants, one with a bright square in noise; the sentence names it."""
    rng = np.random.default_rng([seed, number])
    half, quadrant = SIZE // 2, number % 4
    picture = rng.normal(0.3, 0.05, (SIZE, SIZE)).astype(np.float32)
    row, column = divmod(quadrant, 2)
    top, left = row * half + rng.integers(3, 8), column * half + rng.integers(3, 8)
    picture[top : top + 5, left : left + 5] += 0.5
    regions = np.zeros((4, SIZE // 4, SIZE // 4), dtype=np.float32)
    for n in range(4):
        r, c = divmod(n, 2)
        regions[n, r * half // 4 : (r + 1) * half // 4, c * half // 4 : (c + 1) * half // 4] = 1
    where = (("upper", "lower")[row], ("left", "right")[column])
    return RegionExample(picture, regions, ("A square lies {} {}.".format(*where), "{} {} square".format(*where[::-1])))


def test_sentences_find_their_region_without_boxes(tmp_path: Path) -> None:
    examples = [_scene(n, 0) for n in range(64)]
    matcher = train_region_matching(examples, folder=tmp_path, steps=100, batch=16, seed=1)
    hits = [int(matcher.scores(_scene(n, 1), _scene(n, 1).phrases[:1])[0].argmax()) == n % 4 for n in range(40)]
    assert np.mean(hits) >= 0.8
    empty = _scene(0, 1)
    empty.regions[2] = 0
    assert matcher.scores(empty, ["square"])[0, 2] == -1
    assert matcher.ids(["A square, unheard of"]).tolist()[0][:2] == [
        matcher.vocabulary["a"],
        matcher.vocabulary["square"],
    ]
    with pytest.raises(InputError, match="phrases"):
        matcher.scores(empty, [])
