"""The network of interactive segmentation: where it starts, that it ships, that ONNX Runtime gives the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, label

from groundglass.core import ConfigurationError
from groundglass.nets.build import build_network
from groundglass.segmentation.interactive import (
    Engine,
    Session,
    default_engine,
    export_onnx,
    onnx_engine,
    torch_engine,
)
from groundglass.segmentation.interactive.encoding import SURE, encode
from groundglass.segmentation.interactive.sharpening import REACH, blurred, sharpened, walked
from groundglass.segmentation.interactive.training.batches import InteractiveBatches
from groundglass.segmentation.interactive.training.objective import answer_loss, objective
from groundglass.segmentation.interactive.training.pool import Item, Layer, without_superpixels
from groundglass.segmentation.interactive.training.samples import ANATOMY, Diet, Sampler
from groundglass.synthesis import random_scene


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * float((one & other).sum()) / float(one.sum() + other.sum())


def vessel() -> tuple[np.ndarray, np.ndarray]:
    """A winding line two pixels wide on 256 x 256, well visible."""
    rows, columns = np.indices((256, 256))
    truth = np.abs(rows - 128 - 40 * np.sin(columns / 30)) < 1.2
    noise = np.random.default_rng(0).normal(100, 12, truth.shape)
    return (truth * 90 + noise).astype(np.float32), truth


def test_an_untrained_network_answers_as_the_random_walk() -> None:
    network = build_network("StrokeUNet").eval()
    full, half = torch.rand(1, 5, 64, 96), torch.rand(1, 7, 32, 48)
    with torch.inference_mode():
        logits = network(full, half)
    start = 4 * (half[:, 2] - 0.5)
    assert logits.shape == (1, 1, 64, 96)
    assert torch.allclose(logits[:, 0, ::2, ::2], start) and torch.allclose(logits[:, 0, 1::2, 1::2], start)


def test_a_network_takes_a_further_cue_and_leaves_out_what_came_later() -> None:
    network = build_network("StrokeUNet", in_half=6, filters=[8, 16]).eval()
    torch.nn.init.normal_(network.head.weight)
    full, half = torch.rand(1, 5, 32, 32), torch.rand(1, 7, 16, 16)
    other = torch.cat([half[:, :6], torch.rand(1, 1, 16, 16)], dim=1)
    with torch.inference_mode():
        before = network(full, half[:, :6])
        assert torch.equal(network(full, half), before)
        wider = network.widened().eval()
        assert torch.allclose(wider(full, half), before, atol=1e-6)
        torch.nn.init.normal_(wider.down[0][0].weight)
        assert not torch.allclose(wider(full, half), wider(full, other), atol=1e-3)


def test_the_published_network_has_its_size() -> None:
    network = build_network("ScribbleUNet")
    assert 3.9e6 < sum(p.numel() for p in network.parameters()) < 4.1e6
    with torch.inference_mode():
        assert build_network("ScribbleUNet", width=8)(torch.rand(1, 5, 128, 64)).shape == (1, 1, 128, 64)


def test_a_built_in_network_answers() -> None:
    engine = default_engine()
    assert engine.citation.name == "interactive" and engine.citation.version


def test_a_thin_structure_survives() -> None:
    image, truth = vessel()
    session = Session(image)
    marks = truth & (np.indices(truth.shape)[1] % 100 < 50)
    session.scribble(marks)
    session.scribble([(5, 20), (250, 20)], positive=False)
    session.scribble([(5, 230), (250, 230)], positive=False)
    found = session.mask
    assert (found & truth).sum() > 0.6 * truth.sum()
    assert found.sum() < 4 * truth.sum()


def test_sharpening_narrows_what_was_drawn_too_wide_and_leaves_the_rest() -> None:
    rows = np.indices((64, 64))[0]
    truth = np.abs(rows - 32) < 2
    image = (0.3 + 0.4 * truth).astype(np.float32)
    wide = np.where(np.abs(rows - 32) < 3, 0.5, -3.0).astype(np.float32)
    assert dice(wide > 0, truth) < 0.8
    assert np.array_equal(sharpened(wide, image) > 0, truth)
    assert np.abs(sharpened(wide, np.full_like(image, 0.5)) - wide).max() < 0.1


def test_blurred_planes_are_scipy_s() -> None:
    planes = np.random.default_rng(3).random((3, 45, 70), dtype=np.float32)
    assert np.abs(blurred(planes) - gaussian_filter(planes, (0, REACH, REACH), truncate=3)).max() < 1e-6


def test_a_walk_fills_what_the_image_does_not_part_and_keeps_what_is_sure() -> None:
    rows, columns = np.indices((64, 64))
    truth = (rows - 32) ** 2 + (columns - 32) ** 2 < 9**2
    image = (0.3 + 0.4 * truth).astype(np.float32)
    # Sure of the left half of a disc and of what is far away, without an opinion about the rest.
    logits = np.where(truth & (columns < 33), 5.0, np.where(truth, -0.3, -5.0)).astype(np.float32)
    none = np.zeros(truth.shape, dtype=bool)
    assert dice(logits > 0, truth) < 0.75 < 0.88 < dice(walked(logits, image, none, none) > 0, truth)
    settled = np.where(truth, 5.0, -5.0).astype(np.float32)
    assert np.array_equal(walked(settled, image, none, none) > 0, truth)
    inside, outside = none.copy(), none.copy()
    inside[2, 2:9], outside[32, 30:35] = True, True
    drawn = walked(settled, image, inside, outside)
    assert (drawn[inside] == SURE).all() and (drawn[outside] == -SURE).all()


def answered(engine: Engine) -> tuple[np.ndarray, np.ndarray]:
    """Probability and mask of a vessel after a stroke and a click outside."""
    session = Session(vessel()[0][:200], engine=engine)
    session.scribble([(10, 100), (200, 130)])
    session.click((20, 20), positive=False)
    return session.probability, session.mask


def test_onnx_runtime_gives_what_torch_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exported = onnx_engine(export_onnx(tmp_path / "net.onnx"), threads=1)
    assert exported.citation == torch_engine().citation or exported.citation.name == "interactive"
    other, theirs = answered(exported)
    # As this processor computes: in bfloat16, of 8 bits, pixels may fall to the other side only where nothing is sure.
    sure, ours = answered(torch_engine())
    assert np.abs(sure - other).max() < 0.05
    assert np.abs(sure[ours != theirs] - 0.5).max(initial=0) < 0.05
    assert dice(ours, theirs) > 0.99
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    sure, ours = answered(torch_engine())
    assert np.abs(sure - other).max() < 1e-3
    assert dice(ours, theirs) > 0.999


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        torch_engine(tmp_path)
    (tmp_path / "bad.onnx").write_bytes(b"no graph")
    with pytest.raises(ConfigurationError, match="does not load"):
        onnx_engine(tmp_path / "bad.onnx")


def sampler() -> Sampler:
    scenes = [random_scene(np.random.default_rng(k), 96) for k in range(4)]
    return Sampler({"scenes": [Item(p, (Layer(labels, "instances"),)) for p, labels in scenes]}, ANATOMY)


def test_batches_are_a_function_of_seed_and_number() -> None:
    batches = InteractiveBatches(sampler(), seed=5)
    one, again = batches.batch(3), next(iter(batches.starting_at(3)))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["image"], InteractiveBatches(sampler(), seed=6).batch(3)["image"])
    assert one["image"].shape == (3, 256, 256) and 0 <= float(one["image"].min()) <= float(one["image"].max()) <= 1
    target, positive, negative = (one[name].bool() for name in ("target", "positive", "negative"))
    assert target.any(dim=(1, 2)).all() and not (positive & negative).any()


def test_superpixels_can_be_left_out() -> None:
    picture, labels = random_scene(np.random.default_rng(0))
    real, parts = Layer(labels, "instances"), Layer(labels, "parts")
    pool = {"a": [Item(picture, (real, parts)), Item(picture, (parts,))], "b": [Item(picture, (parts,))]}
    left = without_superpixels(pool)
    assert [item.layers for item in left["a"]] == [(real,)]
    assert left["b"] == []


def test_classes_can_be_joined() -> None:
    labels = np.zeros((128, 128), dtype=np.uint16)
    labels[20:50, 20:50], labels[80:110, 80:110] = 1, 2
    item = Item((40 * labels).astype(np.uint8), (Layer(labels, "classes"),))

    def most_parts(joined: float) -> int:
        sampler = Sampler({"a": [item]}, Diet({"a": 1.0}, joined=joined))
        return max(label(sampler.draw(np.random.default_rng(k), 128)[1])[1] for k in range(12))

    assert most_parts(0.0) == 1
    assert most_parts(1.0) == 2


def test_the_objective_has_a_gradient_and_repeats_itself() -> None:
    batch = {k: v[:2] if v.ndim == 3 else v for k, v in InteractiveBatches(sampler(), seed=1).batch(0).items()}
    network = build_network("StrokeUNet", filters=(8, 8, 8, 8, 8))
    first, again = (objective(network, batch) for _ in range(2))
    assert torch.equal(first, again) and first.requires_grad
    first.backward()
    head = next(p for name, p in network.named_parameters() if name == "head.weight")
    assert head.grad is not None and float(head.grad.abs().sum()) > 0


def test_the_loss_is_least_for_the_truth() -> None:
    truth = torch.zeros(2, 16, 16)
    truth[:, 4:9, 3:12] = 1
    right = answer_loss(20 * (truth - 0.5), truth)
    assert float(right) < 1e-3 < float(answer_loss(torch.zeros(2, 16, 16), truth))


def test_the_last_cue_is_where_the_strokes_alone_put_the_border() -> None:
    image = np.random.default_rng(0).random((1, 64, 64), dtype=np.float32)
    inside, outside = np.zeros((1, 64, 64), dtype=bool), np.zeros((1, 64, 64), dtype=bool)
    inside[:, 8:10], outside[:, 40:42] = True, True
    walk = encode(image, inside, outside, np.zeros_like(image), np.zeros_like(image))[1][0, 6]
    # Between two lines a walk on a plane is linear in the distance; beyond either it stays with it.
    ramp = np.clip((20 - np.arange(32)) / 16, 0, 1)
    assert np.abs(walk - ramp[:, None]).max() < 0.06
    # A few sweeps do not solve it to the last digit, but no grey value shows.
    assert np.ptp(walk, axis=1).max() < 0.06


def test_inputs_have_their_channels() -> None:
    image = np.random.default_rng(0).random((2, 64, 32), dtype=np.float32)
    none = np.zeros(image.shape, dtype=bool)
    box = np.zeros_like(image)
    box[:, 8:40, 4:20] = 1
    full, half = encode(image, none, none, box, np.full_like(image, 100))
    assert full.shape == (2, 5, 64, 32) and half.shape == (2, 7, 32, 16)
    assert (full[:, 4] == 1).all() and np.array_equal(full[:, 3], box)
    assert (half[:, 2, 12, 6] > 0.5).all() and (half[:, 2, 30, 15] == 0).all()
