"""The one training loop: any model, any batches, any objective; resumable, seeded, on any device.

Devices, mixed precision and gradient accumulation are accelerate's business. A run lives in one folder:
`state/` (model, optimiser, schedule, random states: what resuming needs), `history.jsonl` (one line per
logged step) and nothing else. A run that was killed goes on from its last checkpoint when it is started
again with the same arguments.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import set_seed

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.learn.plan import Plan

Objective = Callable[[torch.nn.Module, Any], torch.Tensor]
Validate = Callable[[torch.nn.Module], dict[str, float]]


@dataclass(frozen=True)
class History:
    """`rows` as in history.jsonl: step, seconds, and loss or validation figures."""

    rows: tuple[dict[str, float], ...]

    @property
    def loss(self) -> list[float]:
        """Mean training loss of each logged interval."""
        return [row["loss"] for row in self.rows if "loss" in row]

    def last(self, name: str) -> float:
        """The newest value of a figure. Raises KeyError when it was never logged."""
        return next(row[name] for row in reversed(self.rows) if name in row)


def train(
    model: torch.nn.Module,
    batches: Iterable[Any],
    objective: Objective,
    plan: Plan,
    *,
    folder: Path,
    validate: Validate | None = None,
    log_every: int = 50,
    progress: Callable[[str], None] | None = None,
) -> History:
    """Train `model` in place for `plan.steps` optimiser steps and return what was logged.

    `batches` is iterated again whenever it ends; a resumed run must not see the first batches twice, so it
    calls `batches.starting_at(n)` where that exists and else skips n batches. Tensors in a batch (nested in
    tuples, lists and dicts) are moved to the device. `objective(model, batch)` gives the scalar to minimise.
    `validate(model)` gets the averaged weights in evaluation mode. Raises InputError when the loss is no longer
    finite and ConfigurationError when `folder` holds another plan's run.
    """
    set_seed(plan.seed)
    # accelerate keeps one process-wide state; a second run in this process may want another precision.
    AcceleratorState._reset_state(reset_partial_state=True)
    accelerator = Accelerator(mixed_precision=plan.precision, cpu=not torch.cuda.is_available())
    optimiser = torch.optim.AdamW(model.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    held, optimiser = accelerator.prepare(model, optimiser)
    average = _Average(accelerator.unwrap_model(held), plan.average) if plan.average else None
    run = _Run(folder, plan)
    step = run.resume(accelerator, average)

    stream = _stream(batches, step * plan.accumulate)
    losses: list[float] = []
    started = time.perf_counter()
    held.train()
    while step < plan.steps:
        for group in optimiser.param_groups:
            group["lr"] = plan.learning_rate * _rate(step, plan)
        loss = _step(accelerator, held, optimiser, objective, stream, plan)
        step += 1
        if not math.isfinite(loss):
            raise InputError(f"training step {step}", f"the loss is {loss}", "Lower the rate or check the data.")
        losses.append(loss)
        if average:
            average.update(accelerator.unwrap_model(held), step)
        if step % log_every == 0 or step == plan.steps:
            run.log({"step": step, "seconds": time.perf_counter() - started, "loss": sum(losses) / len(losses)})
            if progress:
                progress(f"step {step}/{plan.steps}, loss {sum(losses) / len(losses):.4f}")
            losses = []
        if validate and plan.validate_every and (step % plan.validate_every == 0 or step == plan.steps):
            run.log({"step": step, **_validated(accelerator.unwrap_model(held), average, validate)})
            held.train()
        if step % plan.checkpoint_every == 0 or step == plan.steps:
            run.save(accelerator, average, step)
    if average:
        average.copy_to(accelerator.unwrap_model(held))
    held.eval()
    accelerator.free_memory()
    return run.history


def _step(
    accelerator: Accelerator, model: Any, optimiser: Any, objective: Objective, stream: Iterator[Any], plan: Plan
) -> float:
    """One optimiser step over `plan.accumulate` batches; the mean loss."""
    total = 0.0
    for _ in range(plan.accumulate):
        batch = _to_device(next(stream), accelerator.device)
        with accelerator.autocast():
            loss = objective(model, batch) / plan.accumulate
        accelerator.backward(loss)
        total += float(loss.detach())
    if plan.clip is not None:
        accelerator.clip_grad_norm_(model.parameters(), plan.clip)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return total


def _rate(step: int, plan: Plan) -> float:
    if step < plan.warmup:
        return (step + 1) / plan.warmup
    left = max(1, (plan.horizon or plan.steps) - plan.warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - plan.warmup) / left)))


def _endless(batches: Iterable[Any]) -> Iterator[Any]:
    while True:
        count = 0
        for batch in batches:
            count += 1
            yield batch
        if count == 0:
            raise InputError("training data", "has no batch", "Check the folder and the split.")


def _stream(batches: Iterable[Any], skip: int) -> Iterator[Any]:
    starting_at = getattr(batches, "starting_at", None)
    if starting_at is not None:
        return _endless(starting_at(skip))
    return islice(_endless(batches), skip, None)


def _to_device(batch: Any, device: torch.device) -> Any:
    if isinstance(batch, torch.Tensor):
        return batch.to(device)
    if isinstance(batch, dict):
        return {key: _to_device(value, device) for key, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        return type(batch)(_to_device(value, device) for value in batch)
    return batch


def _validated(model: torch.nn.Module, average: _Average | None, validate: Validate) -> dict[str, float]:
    """Validation figures of the averaged weights where there are any, with the live weights put back."""
    live = {key: value.clone() for key, value in model.state_dict().items()} if average else None
    if average:
        average.copy_to(model)
    model.eval()
    with torch.no_grad():
        figures = validate(model)
    if live is not None:
        model.load_state_dict(live)
    return figures


class _Average:
    """Exponential moving average of the weights, with the usual shorter memory in the first steps."""

    def __init__(self, model: torch.nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = {key: value.detach().clone() for key, value in model.state_dict().items()}

    def update(self, model: torch.nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        for key, value in model.state_dict().items():
            if value.is_floating_point():
                self.weights[key].lerp_(value.detach(), 1 - decay)
            else:
                self.weights[key].copy_(value)

    def copy_to(self, model: torch.nn.Module) -> None:
        model.load_state_dict(self.weights)


class _Run:
    """The folder of one run. `state/` is replaced as a whole, so a kill leaves the old or the new one."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan
        self.rows: list[dict[str, float]] = []
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def history(self) -> History:
        return History(tuple(self.rows))

    def resume(self, accelerator: Accelerator, average: _Average | None) -> int:
        """Load the newest whole checkpoint; the step to go on from (0 when there is none)."""
        state = next((p for p in (self.folder / "state", self.folder / "state.old") if (p / "run.pt").exists()), None)
        if state is None:
            return 0
        extra = torch.load(state / "run.pt", weights_only=True)
        if extra["plan"] != repr(self.plan):
            raise ConfigurationError(
                self.folder, "holds a run with another plan", "Give another folder, or delete this one to start again."
            )
        accelerator.load_state(str(state))
        if average:
            average.weights = {key: value.to(accelerator.device) for key, value in extra["average"].items()}
        self.rows = [json.loads(line) for line in extra["history"]]
        return int(extra["step"])

    def log(self, row: dict[str, float]) -> None:
        self.rows.append(row)
        with (self.folder / "history.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(r) + "\n" for r in self.rows)

    def save(self, accelerator: Accelerator, average: _Average | None, step: int) -> None:
        new, current, old = (self.folder / name for name in ("state.new", "state", "state.old"))
        shutil.rmtree(new, ignore_errors=True)
        # As pickles: the other format renames weights that two names share, and warns at every save.
        accelerator.save_state(str(new), safe_serialization=False)
        torch.save(
            {
                "plan": repr(self.plan),
                "step": step,
                "average": average.weights if average else {},
                "history": [json.dumps(row) for row in self.rows],
            },
            new / "run.pt",
        )
        shutil.rmtree(old, ignore_errors=True)
        if current.exists():
            current.replace(old)
        new.replace(current)
        shutil.rmtree(old, ignore_errors=True)
