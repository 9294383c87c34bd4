"""The training loop: it learns, it resumes exactly, it refuses what it should."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.learn import Plan, train

PLAN = Plan(40, learning_rate=0.1, warmup=4, average=0.9, checkpoint_every=20)


class Stream:
    """Batches made from their own index, so that every start is possible."""

    def __init__(self, start: int = 0, stop: float = math.inf) -> None:
        self.start, self.stop = start, stop
        self.seen: list[int] = []

    def starting_at(self, index: int) -> Stream:
        return Stream(index, self.stop)

    def __iter__(self) -> Iterator[torch.Tensor]:
        index = self.start
        while True:
            if index >= self.stop:
                raise KeyboardInterrupt
            yield torch.randn(8, 4, generator=torch.Generator().manual_seed(index))
            index += 1


def linear() -> torch.nn.Linear:
    torch.manual_seed(3)
    return torch.nn.Linear(4, 1)


def objective(model: torch.nn.Module, batch: torch.Tensor) -> torch.Tensor:
    return ((model(batch) - batch.sum(1, keepdim=True)) ** 2).mean()


def test_learns_the_sum(tmp_path: Path) -> None:
    model = linear()
    history = train(model, Stream(), objective, Plan(300, learning_rate=0.1), folder=tmp_path)
    assert history.loss[-1] < 1e-3 < history.loss[0]
    assert torch.allclose(model.weight, torch.ones(1, 4), atol=0.05)


@pytest.mark.parametrize("kind", ["starting_at", "wound forward"])
def test_a_killed_run_ends_with_the_same_weights(tmp_path: Path, kind: str) -> None:
    whole, cut = linear(), linear()
    train(whole, Stream(), objective, PLAN, folder=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(cut, Stream(stop=33), objective, PLAN, folder=tmp_path / "cut")
    rest = Stream() if kind == "starting_at" else iter_only(Stream())
    resumed = linear()
    history = train(resumed, rest, objective, PLAN, folder=tmp_path / "cut")
    assert torch.equal(whole.weight, resumed.weight)
    assert history.rows[-1]["step"] == 40


def iter_only(stream: Stream) -> object:
    class Plain:
        def __iter__(self) -> Iterator[torch.Tensor]:
            return iter(stream)

    return Plain()


def test_resume_with_another_plan_is_refused(tmp_path: Path) -> None:
    train(linear(), Stream(), objective, Plan(4, checkpoint_every=2), folder=tmp_path)
    with pytest.raises(ConfigurationError, match="another plan"):
        train(linear(), Stream(), objective, Plan(5, checkpoint_every=2), folder=tmp_path)


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="loss is nan"):
        train(linear(), Stream(), lambda m, b: m(b).sum() * float("nan"), Plan(4), folder=tmp_path)


def test_no_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no batch"):
        train(linear(), [], objective, Plan(4), folder=tmp_path)


def test_validation_sees_the_averaged_weights(tmp_path: Path) -> None:
    model = linear()
    seen: list[torch.Tensor] = []

    def validate(net: torch.nn.Module) -> dict[str, float]:
        seen.append(net.weight.detach().clone())
        return {"sum": float(net.weight.detach().sum())}

    plan = Plan(20, learning_rate=0.1, average=0.9, validate_every=20)
    history = train(model, Stream(), objective, plan, folder=tmp_path, validate=validate)
    assert torch.equal(seen[-1], model.weight)
    assert history.last("sum") == pytest.approx(float(model.weight.detach().sum()))


def test_accumulation_equals_one_large_batch(tmp_path: Path) -> None:
    """Two accumulated batches give the gradient of their mean loss (closed form for equal sizes)."""
    small, large = linear(), linear()
    first = [torch.randn(8, 4, generator=torch.Generator().manual_seed(i)) for i in range(2)]
    train(small, first, objective, Plan(1, accumulate=2, warmup=1, clip=None), folder=tmp_path / "a")
    train(large, [torch.cat(first)], objective, Plan(1, warmup=1, clip=None), folder=tmp_path / "b")
    assert torch.allclose(small.weight, large.weight, atol=1e-6)
