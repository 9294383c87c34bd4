"""Published weights: the same layers written from the published list, random weights under the published names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate, max_pool2d

from groundglass.core import ConfigurationError, InputError, UnsupportedError
from groundglass.io.weights import fill, read_weights
from groundglass.nets.volume_sam import VolumeSam
from groundglass.segmentation.interactive import View, named_engine, scribbleprompt_engine
from groundglass.segmentation.interactive.scribbleprompt import ScribblePromptEngine, channels
from groundglass.segmentation.interactive.volume_engine import VolumeSamEngine, prepared, sam_med3d_engine

NAME = "ScribblePrompt_unet_v1_nf192_res128.pt"


class PublishedUNet(nn.Module):
    """Four convolutions down, four up, as the released network lists them."""

    def __init__(self, width: int) -> None:
        super().__init__()

        def layer(inputs: int) -> nn.Module:
            block = nn.Module()
            block.conv = nn.Sequential(nn.Conv2d(inputs, width, 3, padding=1), nn.PReLU())
            return block

        self.downs = nn.ModuleList([layer(5), layer(width), layer(width), layer(width)])
        self.ups = nn.ModuleList()
        for _ in range(4):
            self.ups += [nn.UpsamplingBilinear2d(scale_factor=2), layer(2 * width)]
        self.bottleneck = layer(width)
        self.final_conv = nn.Module()
        self.final_conv.conv = nn.Sequential(nn.Conv2d(width, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a = self.downs[0].conv(x)
        b = self.downs[1].conv(max_pool2d(a, 2))
        c = self.downs[2].conv(max_pool2d(b, 2))
        d = self.downs[3].conv(max_pool2d(c, 2))
        y = self.bottleneck.conv(max_pool2d(d, 2))
        for k, skip in enumerate((d, c, b, a)):
            y = self.ups[2 * k + 1].conv(torch.cat([skip, self.ups[2 * k](y)], dim=1))
        return self.final_conv.conv(y)


@pytest.fixture
def published(tmp_path: Path) -> tuple[PublishedUNet, Path]:
    torch.manual_seed(0)
    network = PublishedUNet(16).eval()
    torch.save(network.state_dict(), tmp_path / NAME)
    return network, tmp_path / NAME


def view(side: int = 256, box: tuple[int, int, int, int] | None = (37, 50, 101, 161)) -> View:
    rng = np.random.default_rng(1)
    positive, negative = np.zeros((2, side, side), dtype=bool)
    positive[91, 70] = positive[45, 201] = negative[7, 13] = True
    drawn = np.zeros((side, side), dtype=np.float32)
    if box:
        drawn[box[0] : box[2], box[1] : box[3]] = 1
    image, previous = rng.random((side, side)), rng.normal(size=(side, side))
    return View(image.astype(np.float32), positive, negative, drawn, previous.astype(np.float32))


def test_scribbleprompt_answers_as_the_published_layers(published: tuple[PublishedUNet, Path]) -> None:
    network, path = published
    engine = named_engine(path)
    assert isinstance(engine, ScribblePromptEngine) and engine.citation.version == NAME
    seen = view()
    image, before = (torch.from_numpy(p)[None, None] for p in (seen.image, seen.previous))
    x = torch.zeros(1, 5, 128, 128)
    x[:, :1] = interpolate(image, size=(128, 128), mode="bilinear")
    x[0, 1, 18:50, 25:80] = 1
    for k, (column, row) in ((2, (70, 91)), (2, (201, 45)), (3, (13, 7))):
        at = (torch.tensor([column, row]) * (128 / 256)).int()
        x[0, k, at[1], at[0]] = 1
    x[:, 4:] = interpolate(before, size=(128, 128), mode="bilinear")
    assert torch.equal(channels(seen), x)
    with torch.no_grad():
        exact = network(x)
        assert torch.allclose(engine.network(x), exact, atol=1e-5)
        wanted = interpolate(exact, size=(256, 256), mode="bilinear")[0, 0].numpy()
    assert np.abs(wanted).max() > 0.01
    # The engine itself computes in bfloat16 where the processor does: seven bits of fraction.
    assert np.abs(engine.logits(seen) - wanted).max() < 0.02 * np.abs(wanted).max()


def test_the_released_box_starts_at_the_first_pixel(published: tuple[PublishedUNet, Path]) -> None:
    box = channels(view(), compat="released")[0, 1]
    assert box[:50, :80].all() and box.sum() == 50 * 80
    seen = view()
    correct, released = (scribbleprompt_engine(published[1], compat=c).logits(seen) for c in ("correct", "released"))
    assert not np.allclose(correct, released)


def test_volumes_are_prepared_as_torchio_does_it() -> None:
    torchio = pytest.importorskip("torchio")
    cube = np.random.default_rng(0).normal(0, 900, (12, 12, 12)).astype(np.float32)
    image = torchio.ScalarImage(tensor=cube[None])
    recipe = torchio.Compose([torchio.Clamp(-1000, 1000), torchio.ZNormalization(masking_method=lambda x: x > 0)])
    assert np.allclose(prepared(cube, ct=True), recipe(image).data[0].numpy(), atol=1e-5)
    wanted = torchio.ZNormalization(masking_method=lambda x: x > 0)(image).data[0].numpy()
    assert np.allclose(prepared(cube, ct=False), wanted, atol=1e-5)
    assert not prepared(np.zeros((4, 4, 4), dtype=np.float32), ct=False).any()


@pytest.mark.slow
def test_sam_med3d_loads_whole_from_the_published_wrapper(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = VolumeSam()
    torch.save({"model_state_dict": network.state_dict(), "epoch": 3}, tmp_path / "sam_med3d_turbo.pth")
    engine = named_engine(tmp_path / "sam_med3d_turbo.pth")
    assert isinstance(engine, VolumeSamEngine) and engine.network.prompt_encoder.compat == "released"
    loaded = engine.network.state_dict()
    assert all(torch.equal(value, loaded[name]) for name, value in network.state_dict().items())


def test_wrappers_are_taken_off_and_other_models_are_named(tmp_path: Path) -> None:
    layer = nn.Linear(2, 3)
    wrapped = {f"module.{name}": value for name, value in layer.state_dict().items()}
    torch.save({"state_dict": wrapped}, tmp_path / "a.pt")
    other = nn.Linear(2, 3)
    fill(other, read_weights(tmp_path / "a.pt"), source="a.pt")
    assert torch.equal(other.weight, layer.weight) and torch.equal(other.bias, layer.bias)
    with pytest.raises(InputError, match="shape"):
        fill(nn.Linear(4, 3), layer.state_dict(), source="a.pt")
    with pytest.raises(InputError, match="lacks bias"):
        fill(nn.Linear(2, 3), {"weight": layer.weight}, source="a.pt")
    with pytest.raises(UnsupportedError, match="no known interactive model"):
        named_engine(tmp_path / "a.pt")
    with pytest.raises(InputError, match="other parameters"):
        scribbleprompt_engine(tmp_path / "a.pt")
    with pytest.raises(InputError, match="which the model has not"):
        sam_med3d_engine(tmp_path / "a.pt")


class Harmful:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("harm-was-done"),))


def test_files_that_are_no_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"model": Harmful()}, "code.pt")
    Path("text.pt").write_text("not weights")
    Path("empty.pt").touch()
    torch.save([1, 2], "list.pt")
    for name in ("code.pt", "text.pt", "empty.pt", "list.pt"):
        with pytest.raises(InputError, match=name):
            read_weights(name)
    assert not Path("harm-was-done").exists()
    with pytest.raises(ConfigurationError, match="no file of weights"):
        read_weights("missing.pt")
