"""The contrastive loss over places against its definition in NumPy."""

from __future__ import annotations

import numpy as np
import torch

from groundglass.learn.objectives.same_places import same_places


def test_it_is_infonce_of_the_named_places() -> None:
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(3, 5, 4, 6))
    first, second = rng.permutation(24)[:7], rng.permutation(24)[:7]
    places = np.stack([first + 24, second + 48])
    a, b = (np.stack([maps[p // 24, :, p % 24 // 6, p % 6] for p in row]) for row in places)
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    scores = a @ b.T / 0.2
    own = np.diag(scores)
    expected = 0.5 * (np.log(np.exp(scores).sum(1)) - own + np.log(np.exp(scores).sum(0)) - own).mean()
    found = same_places(torch.from_numpy(maps), torch.from_numpy(places), temperature=0.2)
    assert abs(float(found) - expected) < 1e-10


def test_without_places_it_is_zero_and_can_be_differentiated() -> None:
    maps = torch.randn(2, 3, 4, 4, requires_grad=True)
    loss = same_places(maps, torch.zeros((2, 0), dtype=torch.long))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 0 and maps.grad is not None and not maps.grad.any()
