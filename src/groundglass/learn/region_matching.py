"""Grounding without boxes: phrases of reports learn which region of their image they speak of.

After Seibold et al., BMVC 2022 (arXiv 2210.03416): regions are masks of anatomy (or any proposals), their vectors are
pooled from an image encoder, and a phrase must be nearer to a region of its own image than to those of the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.learn.batches import NumberedBatches
from groundglass.learn.loop import train
from groundglass.learn.objectives.region_contrast import region_contrast
from groundglass.learn.plan import Plan
from groundglass.nets.region_phrase_net import RegionPhraseNet

SHIFT = 0.06


@dataclass(frozen=True, eq=False)
class RegionExample:
    """`picture` (H, W) in [0, 1], sides a multiple of 4; `regions` (R, H / 4, W / 4), shares of pixels; `phrases` said
    of it, and what each means (by default its own words): images that mean the same are not set against each other."""

    picture: NDArray[np.float32]
    regions: NDArray[np.float32]
    phrases: tuple[str, ...] = ()
    meanings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.meanings:
            object.__setattr__(self, "meanings", self.phrases)
        if len(self.meanings) != len(self.phrases):
            raise InputError("meanings", f"are {len(self.meanings)} of {len(self.phrases)} phrases", "Give one each.")


@dataclass(frozen=True)
class RegionMatcher:
    """The network and its vocabulary: words to numbers from 2 on; 1 is any other word."""

    net: RegionPhraseNet
    vocabulary: dict[str, int]

    def ids(self, phrases: Sequence[str]) -> torch.Tensor:
        """(P, longest), 0 behind the end."""
        rows = [[self.vocabulary.get(word, 1) for word in _words(phrase)] for phrase in phrases]
        width = max((len(row) for row in rows), default=1)
        return torch.tensor([row + [0] * (width - len(row)) for row in rows])

    @torch.no_grad()
    def scores(self, example: RegionExample, phrases: Sequence[str]) -> NDArray[np.float64]:
        """(P, R): cosine of each phrase and each region; -1 for an empty region. Raises InputError without phrases."""
        if not phrases:
            raise InputError("phrases", "are none", "Give one or more.")
        self.net.eval()
        pictures, regions = _stacked([example])
        near = (
            normalize(self.net.phrases(self.ids(phrases)), dim=-1)
            @ normalize(self.net.regions(pictures, regions)[0], dim=-1).mT
        )
        return np.asarray(near.masked_fill(regions[0].sum(dim=(1, 2)) == 0, -1.0).double().numpy())


def train_region_matching(
    examples: Sequence[RegionExample],
    *,
    folder: Path,
    steps: int,
    batch: int = 24,
    temperature: float = 0.1,
    learning_rate: float = 2e-3,
    seed: int = 0,
) -> RegionMatcher:
    """One phrase of each of `batch` images a step. Raises ConfigurationError for fewer than two images with phrases."""
    held = [example for example in examples if example.phrases]
    if len(held) < 2:
        raise ConfigurationError("examples", "are too few with phrases", "Give two images or more.")
    words = sorted({word for example in held for phrase in example.phrases for word in _words(phrase)})
    torch.manual_seed(seed)
    network = RegionPhraseNet(len(words) + 2).to(memory_format=torch.channels_last)
    matcher = RegionMatcher(network, {word: n for n, word in enumerate(words, start=2)})

    def objective(net: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> torch.Tensor:
        ids, pictures, regions, same = given
        assert isinstance(net, RegionPhraseNet)
        valid = regions.sum(dim=(2, 3)) > 0
        owner = torch.arange(len(pictures), device=pictures.device)
        vectors, wanted = net.regions(pictures, regions).float(), net.phrases(ids).float()
        return region_contrast(vectors, valid, wanted, owner, same=same, temperature=temperature)

    plan = Plan(steps, learning_rate, weight_decay=1e-3, warmup=max(1, steps // 20), average=0.98,
                precision="bf16", checkpoint_every=10**6, seed=seed)  # fmt: skip
    train(matcher.net, _Batches(matcher, held, min(batch, len(held)), seed), objective, plan, folder=folder)
    return matcher


class _Batches(NumberedBatches[tuple[torch.Tensor, ...]]):
    """Images of a batch differ; each is moved by up to SHIFT of its side, its brightness changed."""

    def __init__(self, matcher: RegionMatcher, examples: Sequence[RegionExample], size: int, seed: int) -> None:
        self.matcher, self.examples, self.size, self.seed = matcher, examples, size, seed

    def batch(self, number: int) -> tuple[torch.Tensor, ...]:
        rng = self.generator(number)
        chosen = [self.examples[n] for n in rng.choice(len(self.examples), self.size, replace=False)]
        said = [int(rng.integers(len(example.phrases))) for example in chosen]
        phrases = [example.phrases[n] for example, n in zip(chosen, said, strict=True)]
        meant = [example.meanings[n] for example, n in zip(chosen, said, strict=True)]
        same = torch.tensor([[meaning in example.meanings for example in chosen] for meaning in meant])
        pictures, regions = _stacked([_moved(example, rng) for example in chosen])
        return self.matcher.ids(phrases), pictures.contiguous(memory_format=torch.channels_last), regions, same


def _moved(example: RegionExample, rng: np.random.Generator) -> RegionExample:
    reach = round(SHIFT * example.regions.shape[1])
    shift = rng.integers(-reach, reach + 1, 2)
    picture = np.roll(example.picture, 4 * shift, (0, 1)) ** np.exp(rng.normal(0, 0.15))
    picture = picture + rng.normal(0, 0.02, picture.shape)
    return replace(example, picture=picture.astype(np.float32), regions=np.roll(example.regions, shift, (1, 2)))


def _stacked(examples: Sequence[RegionExample]) -> tuple[torch.Tensor, torch.Tensor]:
    """(pictures (B, 1, H, W) standardised, masks (B, R, h, w) with empty ones at the end)."""
    most = max(len(example.regions) for example in examples)
    masks = [np.pad(e.regions, ((0, most - len(e.regions)), (0, 0), (0, 0))) for e in examples]
    pictures = np.stack([(e.picture - e.picture.mean()) / max(float(e.picture.std()), 1e-6) for e in examples])
    return torch.from_numpy(pictures.astype(np.float32))[:, None], torch.from_numpy(np.stack(masks)).float()


def _words(phrase: str) -> list[str]:
    return re.findall(r"[a-z]+", phrase.casefold())
