"""Small two-dimensional networks for one-channel images, by name."""

from __future__ import annotations

from torch import Tensor, nn

from groundglass.core.errors import ConfigurationError

NAMES = ("small", "resnet18", "densenet121", "mobilenet")


class SmallNet(nn.Module):
    """(B, 1, H, W) to (B, outputs): four halvings; mean and maximum of the last grid, so that a small focus counts."""

    def __init__(self, outputs: int = 1, *, widths: tuple[int, ...] = (12, 24, 48, 64)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for width in widths:
            layers += [
                nn.Conv2d(channels, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            ]
            layers += [nn.MaxPool2d(2)]
            channels = width
        layers += [
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        ]
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(2 * channels, outputs)

    def forward(self, images: Tensor) -> Tensor:
        grid = self.features(images)
        return self.head(nn.functional.dropout(_pooled(grid), 0.2, self.training))


def _pooled(grid: Tensor) -> Tensor:
    import torch

    return torch.cat([grid.mean((-2, -1)), grid.amax((-2, -1))], dim=1)


class _Logits(nn.Module):
    """A transformers classifier as a plain module."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        return self.model(pixel_values=images).logits


def backbone(name: str, *, outputs: int = 1) -> nn.Module:
    """A network (B, 1, H, W) -> (B, outputs) with random weights. Raises ConfigurationError on an unknown name."""
    if name == "small":
        return SmallNet(outputs)
    if name == "resnet18":
        from monai.networks.nets.resnet import resnet18

        return resnet18(spatial_dims=2, n_input_channels=1, num_classes=outputs)
    if name == "densenet121":
        from monai.networks.nets.densenet import DenseNet121

        return DenseNet121(spatial_dims=2, in_channels=1, out_channels=outputs)
    if name == "mobilenet":
        from transformers import MobileNetV2Config, MobileNetV2ForImageClassification

        return _Logits(MobileNetV2ForImageClassification(MobileNetV2Config(num_channels=1, num_labels=outputs)))
    raise ConfigurationError(name, "is not a backbone that is known here", f"Use one of {', '.join(NAMES)}.")
