"""Training with users who click: DeepGrow's loop and SAM-Med3D's, on discs and balls."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import nn

from groundglass.core import ModelCitation
from groundglass.nets.volume_sam import VolumeSam
from groundglass.segmentation.interactive import DeepGrowEngine, Session, guidance_map
from groundglass.segmentation.interactive.deepgrow import guided
from groundglass.segmentation.interactive.training.deepgrow import TargetBatches, deepgrow_objective
from groundglass.segmentation.interactive.training.pool import Item, Layer
from groundglass.segmentation.interactive.training.samples import Diet, Sampler
from groundglass.segmentation.interactive.training.volume_sam import enlarged, next_click, volume_objective


class Watched(nn.Module):
    """Two convolutions that keep what they were shown, and whether they were learning."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 9, padding=4), nn.ReLU(), nn.Conv2d(8, 1, 1))
        self.shown: list[tuple[bool, torch.Tensor]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.shown.append((self.training, x.detach()))
        return self.layers(x)


def discs(count: int = 4, side: int = 32) -> dict[str, torch.Tensor]:
    rng, rows = np.random.default_rng(5), np.indices((side, side))
    truth = np.stack(
        [np.hypot(*(rows - rng.uniform(10, 22, 2)[:, None, None])) < rng.uniform(4, 8) for _ in range(count)]
    )
    image = 0.3 + 0.4 * truth + rng.normal(0, 0.05, truth.shape)
    return {
        "image": torch.from_numpy(image.astype(np.float32)),
        "target": torch.from_numpy(truth),
        "number": torch.tensor([1, 2]),
    }


def test_the_simulated_user_adds_clicks_where_the_network_is_wrong() -> None:
    torch.manual_seed(0)
    network, batch = Watched().train(), discs()
    # Patience is drawn: one of these batches has some.
    for number in range(6):
        network.shown.clear()
        batch["number"][1] = number
        deepgrow_objective(network, batch, clicks=6).backward()
        if len(network.shown) > 2:
            break
    assert [training for training, _ in network.shown] == [False] * (len(network.shown) - 1) + [True]
    assert network.training and 3 <= len(network.shown) <= 6
    first, last = network.shown[0][1], network.shown[-1][1]
    assert torch.equal(first[:, 0], last[:, 0])
    # One click in each disc at first, none outside; later more of at least one kind.
    clicked = first[:, 1].flatten(1).argmax(dim=1)
    assert batch["target"].flatten(1)[torch.arange(4), clicked].all() and not first[:, 2].any()
    assert (last[:, 1:] - first[:, 1:]).abs().amax(dim=(2, 3)).sum() > 1
    assert next(network.parameters()).grad is not None


def test_without_the_user_one_answer_counts_and_an_empty_target_gets_a_click_outside() -> None:
    network, batch = Watched().train(), discs()
    batch["target"][0] = False
    deepgrow_objective(network, batch, clicks=1)
    ((training, shown),) = network.shown
    assert training and not shown[0, 1].any() and shown[0, 2].max() == 1
    assert shown[1:, 1].amax(dim=(1, 2)).eq(1).all() and not shown[1:, 2].any()


def test_batches_are_a_function_of_seed_and_number() -> None:
    labels = np.zeros((40, 40), dtype=np.uint16)
    labels[10:25, 12:30] = 1
    item = Item((60 + 100 * labels).astype(np.uint8), (Layer(labels, "classes"),))
    batches = TargetBatches(Sampler({"one": [item]}, Diet({"one": 1.0})), 3, side=32, count=2)
    one, again, other = batches.batch(4), batches.batch(4), batches.batch(5)
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert one["image"].shape == one["target"].shape == (2, 32, 32) and not torch.equal(one["image"], other["image"])


def test_the_engine_shows_the_network_half_the_grid_and_its_clicks() -> None:
    network = Watched()
    picture = np.random.default_rng(0).random((256, 256)).astype(np.float32)
    session = Session(picture, engine=DeepGrowEngine(network, ModelCitation("watched", "1")))
    session.click((101, 60))
    session.click((7, 9), False)
    training, shown = network.shown[-1]
    assert not training and shown.shape == (1, 3, 128, 128)
    wanted = guided(shown[0, 0].numpy() + np.float32(0.5), np.array([[30, 50]]), np.array([[4, 3]]))
    assert np.array_equal(shown[0, 1:].numpy(), wanted[1:])
    assert np.array_equal(wanted[1], guidance_map((128, 128), np.array([[30, 50]])))
    assert session.probability.shape == (256, 256)


def balls(side: int = 16) -> dict[str, torch.Tensor]:
    rng, at = np.random.default_rng(2), np.indices((side,) * 3)
    truth = np.stack([((at - rng.uniform(6, 10, 3)[:, None, None, None]) ** 2).sum(0) < 16 for _ in range(2)])
    image = truth + rng.normal(0, 0.2, truth.shape)
    return {
        "image": torch.from_numpy(image.astype(np.float32))[:, None],
        "target": torch.from_numpy(truth),
        "number": torch.tensor([0, 1]),
    }


def small() -> VolumeSam:
    torch.manual_seed(3)
    return VolumeSam(
        side=16, patch=4, width=48, depth=1, heads=2, window=4, whole=(0,), prompt_width=48, decoder_hidden=64
    )


def test_volume_training_reaches_every_part_and_lowers_its_loss() -> None:
    model, batch = small(), balls()
    optimiser, losses = torch.optim.AdamW(model.parameters(), lr=3e-3), []
    for step in range(9):
        batch["number"][1] = step
        loss = volume_objective(model, batch, clicks=4)
        loss.backward()
        if not losses:
            idle = {name.split(".")[0] for name, value in model.named_parameters() if value.grad is not None}
            assert idle == {"image_encoder", "prompt_encoder", "mask_decoder"}
        optimiser.step()
        optimiser.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]
    assert torch.equal(*(volume_objective(model, batch, clicks=3) for _ in range(2)))


def test_answers_are_asked_with_all_clicks_so_far_and_twice_with_none() -> None:
    model, batch, asked = small(), balls(), []
    answer = model.answer

    def noted(*given: torch.Tensor) -> torch.Tensor:
        asked.append((given[1].shape[1], given[3].requires_grad, bool(given[3].any())))
        return answer(*given)

    model.answer = partial(noted)  # type: ignore[method-assign]
    volume_objective(model, batch, clicks=7)
    counts = [count for count, _, _ in asked]
    assert counts[:2] == [1, 2] and counts[-1] == 0 and counts.count(0) == 2
    assert [count for count in counts if count] == [1, 2, 3, 4, 5]
    assert not any(grown for _, grown, _ in asked)
    assert [fed for _, _, fed in asked] == [False] + [True] * 6


def test_next_click_lies_in_the_error_and_inside_when_there_is_none() -> None:
    rng, truth = np.random.default_rng(0), balls()["target"][0].numpy()
    for _ in range(20):
        at, positive = next_click(truth, truth, rng)
        assert positive and truth[tuple(at)]
        at, positive = next_click(truth, ~truth, rng)
        assert positive == truth[tuple(at)]
    coarse = torch.arange(8.0).reshape(1, 1, 2, 2, 2)
    assert enlarged(coarse, 2).equal(coarse[:, 0]) and enlarged(coarse, 4).shape == (1, 4, 4, 4)
