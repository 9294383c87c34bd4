"""A transition layer: one more convolution on an encoder, whose maps a class's weights are laid on."""

from __future__ import annotations

from torch import Tensor, nn

from groundglass.nets.residual_encoder import ResidualEncoder


class TransitionEncoder(nn.Module):
    """(B, 1, H, W) -> (B, `features`, H / 8, W / 8): encoder, then a convolution that brings its maps to one width.

    The layer of arXiv 1705.02315 between a backbone without its classifier and the pooling. No rectifier follows, so
    that a map may speak against a class.
    """

    def __init__(self, encoder: ResidualEncoder, *, features: int = 64) -> None:
        super().__init__()
        self.encoder = encoder
        self.features = features
        self.transition = nn.Sequential(
            nn.Conv2d(encoder.features, features, 3, padding=1, bias=False), nn.BatchNorm2d(features)
        )

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.transition(self.encoder(images))
        return found
