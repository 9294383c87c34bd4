"""A small image captioner: convolutional grid features, a transformer decoder over words.

The plain encoder-decoder arm of report generation (Xu et al. 2015, "Show, attend and tell", with the decoder
of Vaswani et al. 2017), kept small enough to train on a CPU. It says what its training reports said most often:
that is why it stands here, as the floor under template and grounded reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from groundglass.core.errors import ConfigurationError
from groundglass.learn import NumberedBatches, Plan
from groundglass.learn.loop import train
from groundglass.report.generation.vocabulary import END, PAD, START, Vocabulary


class TinyCaptioner(nn.Module):
    """Images (B, C, H, W) or (B, C, D, H, W) and word indices (B, L) to logits (B, L, words).

    `stages` halvings; the grid that is left becomes the decoder's memory, each cell with a learnt place.
    `grid` is the side that the grid is pooled to.
    """

    def __init__(
        self,
        words: int,
        *,
        spatial: int = 2,
        channels: int = 1,
        width: int = 64,
        stages: int = 4,
        layers: int = 2,
        grid: int = 8,
        max_length: int = 96,
    ) -> None:
        super().__init__()
        if spatial not in (2, 3):
            raise ConfigurationError("spatial", f"is {spatial}", "Use 2 for images or 3 for volumes.")
        conv, norm = (nn.Conv2d, nn.BatchNorm2d) if spatial == 2 else (nn.Conv3d, nn.BatchNorm3d)
        pool = nn.AdaptiveAvgPool2d if spatial == 2 else nn.AdaptiveAvgPool3d
        sizes = [channels, *(max(16, width // 2 ** (stages - 1 - i)) for i in range(stages - 1)), width]
        blocks: list[nn.Module] = []
        for a, b in pairwise(sizes):
            blocks += [conv(a, b, 3, stride=2, padding=1, bias=False), norm(b), nn.ReLU(inplace=True)]
        self.encoder = nn.Sequential(*blocks, pool(grid))
        self.place = nn.Parameter(torch.randn(grid**spatial, width) * 0.02)
        self.embedding = nn.Embedding(words, width, padding_idx=PAD)
        self.position = nn.Parameter(torch.randn(max_length, width) * 0.02)
        layer = nn.TransformerDecoderLayer(width, 4, 4 * width, dropout=0.0, batch_first=True, norm_first=True)
        self.decoder = nn.TransformerDecoder(layer, layers, norm=nn.LayerNorm(width))
        self.head = nn.Linear(width, words)
        self.max_length = max_length

    def memory(self, images: Tensor) -> Tensor:
        """Grid features (B, cells, width)."""
        return self.encoder(images).flatten(2).transpose(1, 2) + self.place

    def decode(self, memory: Tensor, words: Tensor) -> Tensor:
        """Logits (B, L, words) of the next word after each of `words` (B, L)."""
        length = words.shape[1]
        ahead = torch.triu(torch.full((length, length), float("-inf"), device=words.device), diagonal=1)
        hidden = self.decoder(self.embedding(words) + self.position[:length], memory, tgt_mask=ahead)
        return self.head(hidden)

    def forward(self, images: Tensor, words: Tensor) -> Tensor:
        return self.decode(self.memory(images), words)

    @torch.no_grad()
    def generate(self, images: Tensor) -> Tensor:
        """Greedy decoding: word indices (B, L), each row up to its end mark, then padding."""
        memory = self.memory(images)
        words = torch.full((len(images), 1), START, dtype=torch.long, device=images.device)
        ended = torch.zeros(len(images), dtype=torch.bool, device=images.device)
        while words.shape[1] < self.max_length and not bool(ended.all()):
            best = self.decode(memory, words)[:, -1].argmax(-1)
            best = torch.where(ended, torch.full_like(best, PAD), best)
            ended |= best == END
            words = torch.cat([words, best[:, None]], dim=1)
        return words


def train_captioner(
    images: Tensor,
    texts: Sequence[str],
    *,
    folder: Path,
    steps: int = 1000,
    batch: int = 32,
    learning_rate: float = 1e-3,
    seed: int = 0,
    **architecture: int,
) -> tuple[TinyCaptioner, Vocabulary]:
    """A captioner of `images` (N, C, *spatial; float or uint8, scaled by 1/255) and one text each.

    Raises ConfigurationError when counts differ or a text is longer than the decoder.
    """
    if len(images) != len(texts):
        raise ConfigurationError(
            "texts", f"there are {len(texts)} for {len(images)} images", "Give one text per image."
        )
    vocabulary = Vocabulary.of(texts)
    encoded = [vocabulary.encode(text) for text in texts]
    longest = max(map(len, encoded))
    torch.manual_seed(seed)
    model = TinyCaptioner(
        len(vocabulary),
        spatial=images.ndim - 2,
        channels=images.shape[1],
        **{"max_length": longest + 8, **architecture},
    )
    if longest > model.max_length:
        raise ConfigurationError("max_length", f"is shorter than a text of {longest} words", "Raise it.")
    targets = torch.full((len(encoded), longest), PAD, dtype=torch.long)
    for row, indices in zip(targets, encoded, strict=True):
        row[: len(indices)] = torch.tensor(indices)
    plan = Plan(
        steps=steps, learning_rate=learning_rate, warmup=min(50, steps // 4 + 1), checkpoint_every=steps, seed=seed
    )
    train(model, _Batches(images, targets, batch, seed), _next_word_loss, plan, folder=folder)
    return model.eval(), vocabulary


def caption(model: TinyCaptioner, vocabulary: Vocabulary, images: Tensor, *, batch: int = 64) -> list[str]:
    """One text for each image (N, C, *spatial)."""
    texts: list[str] = []
    for start in range(0, len(images), batch):
        found = model.generate(_scaled(images[start : start + batch]))
        texts += [vocabulary.decode(row.tolist()) for row in found]
    return texts


def _next_word_loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    images, words = batch
    logits = model(_scaled(images), words[:, :-1])
    return nn.functional.cross_entropy(logits.flatten(0, 1), words[:, 1:].flatten(), ignore_index=PAD)


def _scaled(images: Tensor) -> Tensor:
    return images.float() / 255 if images.dtype == torch.uint8 else images.float()


class _Batches(NumberedBatches[tuple[Tensor, Tensor]]):
    """Endless shuffled batches; batch n is a function of the seed and n alone, so a run can resume anywhere."""

    def __init__(self, images: Tensor, targets: Tensor, size: int, seed: int) -> None:
        self.images, self.targets, self.size, self.seed = images, targets, size, seed

    def batch(self, number: int) -> tuple[Tensor, Tensor]:
        order = self.generator(number).choice(len(self.images), min(self.size, len(self.images)), replace=False)
        rows = torch.from_numpy(order)
        return self.images[rows], self.targets[rows]
