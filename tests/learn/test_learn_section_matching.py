"""The contrastive loss against loops and closed forms; masking by shares; a small encoder learns pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from groundglass.classification import tiny_bert
from groundglass.core import ConfigurationError, InputError
from groundglass.learn.objectives.contrastive import contrastive
from groundglass.learn.section_matching import masked, new_section_matcher, train_section_matching
from groundglass.nets.projection_head import ProjectionHead
from groundglass.text.matching import SectionPair


def by_loops(first: np.ndarray, second: np.ndarray, tau: float, targets: np.ndarray | None = None) -> float:
    """The formula of the docstring, entry by entry, in double precision."""
    n = len(first)
    targets = np.eye(n) if targets is None else targets
    s = np.array([[a @ b / np.linalg.norm(a) / np.linalg.norm(b) / tau for b in second] for a in first])
    total = 0.0
    for i in range(n):
        row, column = targets[i] / targets[i].sum(), targets[:, i] / targets[:, i].sum()
        total -= sum(row[j] * (s[i, j] - np.log(np.exp(s[i]).sum())) for j in range(n)) / (2 * n)
        total -= sum(column[j] * (s[j, i] - np.log(np.exp(s[:, i]).sum())) for j in range(n)) / (2 * n)
    return float(total)


@pytest.mark.parametrize("tau", [0.07, 0.5, 2.0])
def test_the_loss_is_its_formula(tau: float) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 7, 5))
    soft = rng.random((7, 7))
    for targets in (None, soft, np.eye(7)):
        given = None if targets is None else torch.from_numpy(targets)
        loss = contrastive(torch.from_numpy(a), torch.from_numpy(b), temperature=tau, targets=given)
        assert float(loss) == pytest.approx(by_loops(a, b, tau, targets), abs=1e-10)


def test_closed_forms_and_symmetry() -> None:
    same = torch.ones(6, 4, dtype=torch.float64)
    assert float(contrastive(same, same)) == pytest.approx(np.log(6))
    axes = torch.eye(4, dtype=torch.float64)
    assert float(contrastive(axes, axes, temperature=0.5)) == pytest.approx(np.log(1 + 3 * np.exp(-2)))
    a, b = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert float(contrastive(a, b)) == pytest.approx(float(contrastive(b, a)))
    assert float(contrastive(3 * a, 0.1 * b)) == pytest.approx(float(contrastive(a, b)))


def test_bad_input_of_the_loss() -> None:
    a = torch.ones(3, 2)
    with pytest.raises(ConfigurationError):
        contrastive(a, a, temperature=0)
    with pytest.raises(InputError):
        contrastive(a, torch.ones(4, 2))
    with pytest.raises(InputError):
        contrastive(a, a, targets=torch.zeros(3, 3))


def test_the_projection_has_the_published_size() -> None:
    head = ProjectionHead()
    assert head(torch.zeros(2, 768)).shape == (2, 128)
    # 768 x 128 + 128, LayerNorm's 2 x 128, 128 x 128 + 128.
    assert sum(p.numel() for p in head.parameters()) == 768 * 128 + 128 + 256 + 128 * 128 + 128


TEXTS = ["Left effusion.", "Right effusion.", "No effusion.", "Clear lungs.", "Big heart.", "Normal heart."]


def test_masking_by_its_shares(tmp_path: Path) -> None:
    tokenizer = new_section_matcher(tiny_bert(tmp_path, TEXTS, width=16, layers=1)).tokenizer
    ids = torch.full((200, 100), tokenizer.convert_tokens_to_ids("effusion"))
    special = torch.zeros_like(ids, dtype=torch.bool)
    special[:, 0] = True
    read, labels = masked(ids, special, tokenizer, np.random.default_rng(0))
    chosen = labels != -100
    assert not chosen[:, 0].any() and bool((labels[chosen] == ids[chosen]).all())
    assert bool((read[~chosen] == ids[~chosen]).all())
    assert float(chosen[:, 1:].float().mean()) == pytest.approx(0.15, abs=0.01)
    assert float((read[chosen] == tokenizer.mask_token_id).float().mean()) == pytest.approx(0.8, abs=0.03)
    assert float((read[chosen] == ids[chosen]).float().mean()) == pytest.approx(0.1, abs=0.03)


def test_a_small_encoder_learns_what_belongs_together(tmp_path: Path) -> None:
    pairs = [SectionPair(text, text.lower().replace(".", " is seen."), i) for i, text in enumerate(TEXTS)]
    encoder = tiny_bert(tmp_path / "encoder", [t for p in pairs for t in p[:2]], width=32, layers=2, seed=1)
    matcher = new_section_matcher(encoder, size=16, seed=1)
    train_section_matching(
        matcher, pairs, folder=tmp_path / "run", steps=80, batch=6, learning_rate=3e-3, weight=1.0, temperature=0.1
    )
    first, second = matcher.vectors([p.findings for p in pairs]), matcher.vectors([p.impression for p in pairs])
    assert (first @ second.T).argmax(dim=1).tolist() == list(range(len(pairs)))


def test_pairs_that_fill_no_batch_are_refused(tmp_path: Path) -> None:
    matcher = new_section_matcher(tiny_bert(tmp_path / "encoder", TEXTS, width=16, layers=1))
    with pytest.raises(ConfigurationError, match="fill no batch"):
        train_section_matching(matcher, [SectionPair("a b", "c d", 0)], folder=tmp_path / "run", steps=1, batch=4)
