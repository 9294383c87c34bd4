"""Training with users who click: DeepGrow's loop and SAM-Med3D's, on discs and balls."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import nn

from groundglass.core import ModelCitation
from groundglass.nets.volume_sam import VolumeSam
from groundglass.segmentation.interactive import DeepGrowEngine, Session, guidance_map
from groundglass.segmentation.interactive.deepgrow import unfolded
from groundglass.segmentation.interactive.training.deepgrow import TargetBatches, deepgrow_objective
from groundglass.segmentation.interactive.training.volume_sam import (
    enlarged,
    next_click,
    volume_objective,
)
from groundglass.segmentation.interactive.training.windowed import LabelledSlice, WindowSampler


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


def sliced() -> LabelledSlice:
    mask = np.zeros((200, 160), dtype=bool)
    mask[90:130, 60:110] = True
    return LabelledSlice.of((0.2 + 0.4 * mask).astype(np.float32), {"organ": mask})


def test_batches_are_a_function_of_seed_and_number() -> None:
    batches = TargetBatches(WindowSampler([sliced()]), 3, side=32, count=2)
    one, again, other = batches.batch(4), batches.batch(4), batches.batch(5)
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert one["image"].shape == one["target"].shape == (2, 32, 32) and not torch.equal(one["image"], other["image"])


def test_windows_show_the_structure_where_the_picture_has_it() -> None:
    sampler, rng = WindowSampler([sliced()]), np.random.default_rng(1)
    assert sampler.slices[0].mask("organ").sum() == 40 * 50
    shares = []
    for _ in range(20):
        picture, target = sampler.draw(rng, 64)
        assert picture.shape == target.shape == (64, 64) and picture.min() >= 0 and picture.max() <= 1
        # It is twice and more as bright as what is about it, in every pose and look.
        if (~target).any():
            assert picture[target].mean() > picture[~target].mean() + 0.15
        shares.append(target.mean())
    assert min(shares) < 0.08 and max(shares) > 0.3


def test_the_engine_looks_about_the_click_and_then_about_the_mask() -> None:
    network = Watched()
    with torch.no_grad():
        network.layers[2].bias.fill_(-100.0)
    picture = np.random.default_rng(0).random((256, 256)).astype(np.float32)
    session = Session(picture, engine=DeepGrowEngine(network, ModelCitation("watched", "1")))
    session.click((101, 60))
    # A click alone: 128 pixels of the plane about it; nothing found but the click: 64 of them.
    assert len(network.shown) == 2 and not any(training for training, _ in network.shown)
    for (_, shown), corner, side in zip(network.shown, ((0, 40), (32, 72)), (128, 64), strict=True):
        at = np.floor((np.array([[60, 101]]) - corner + 0.5) * 128 / side).astype(int)
        assert shown.shape == (1, 3, 128, 128)
        assert np.array_equal(shown[0, 1].numpy(), guidance_map((128, 128), at)) and not shown[0, 2].any()
    seen = network.shown[0][1][0, 0].numpy() + np.float32(0.5)
    assert np.abs(seen - picture[:128, 40:168]).max() < 0.01
    with torch.no_grad():
        network.layers[2].bias.fill_(100.0)
    session.click((7, 9), False)
    # All is inside: the window grows until it is the plane.
    assert session.mask.mean() > 0.99 and not session.mask[9, 7]
    assert len(network.shown) == 5 and network.shown[-1][1][0, 2].any()


def test_each_channel_of_the_logits_is_a_pixel_of_a_block() -> None:
    logits = torch.arange(16.0).reshape(1, 4, 2, 2)
    assert unfolded(logits, 4)[0, :2, :2].tolist() == [[0, 4], [8, 12]]
    assert torch.equal(unfolded(logits[:, :1], 2), logits[:, 0])


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


def test_a_volume_is_encoded_once_for_all_its_targets() -> None:
    model, batch = small(), balls()
    twice = {**batch, "target": batch["target"].repeat_interleave(2, dim=0)}
    each = {**twice, "image": batch["image"].repeat_interleave(2, dim=0)}
    shown: list[int] = []
    model.image_encoder.register_forward_hook(lambda _m, given, _out: shown.append(len(given[0])))
    one, other = (volume_objective(model, b, clicks=3) for b in (twice, each))
    assert shown == [2, 4] and torch.allclose(one, other, atol=1e-6)


def test_next_click_lies_in_the_error_and_inside_when_there_is_none() -> None:
    rng, truth = np.random.default_rng(0), balls()["target"][0].numpy()
    for _ in range(20):
        at, positive = next_click(truth, truth, rng)
        assert positive and truth[tuple(at)]
        at, positive = next_click(truth, ~truth, rng)
        assert positive == truth[tuple(at)]
    coarse = torch.arange(8.0).reshape(1, 1, 2, 2, 2)
    assert enlarged(coarse, 2).equal(coarse[:, 0]) and enlarged(coarse, 4).shape == (1, 4, 4, 4)
