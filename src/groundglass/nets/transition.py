"""A transition layer: one more convolution on an encoder, whose maps a class's weights are laid on."""

from __future__ import annotations

from torch import Tensor, nn

from groundglass.nets.map_classifier import MapClassifier, Pooling, mean_pooling
from groundglass.nets.residual_encoder import ResidualEncoder

# Pixels of the image a side of a position of the map.
CELL = 4


class TransitionEncoder(ResidualEncoder):
    """(B, 1, H, W) -> (B, `features`, H / 4, W / 4): encoder, then a convolution that brings its maps to one width.

    The layer of arXiv 1705.02315 between a backbone without its classifier and the pooling. As for the first class
    activation maps (B. Zhou et al., CVPR 2016), the last blocks keep their resolution, for a small finding must have
    positions of its own. A rectifier follows: where a feature is missing it is 0, so that a heat map's lower end is
    "nothing here" rather than what speaks against it.
    """

    def __init__(self, features: int = 64) -> None:
        super().__init__()
        for layer in self.blocks.modules():
            if isinstance(layer, nn.Conv2d):
                layer.stride = (1, 1)
        self.transition = nn.Sequential(
            nn.Conv2d(self.features, features, 3, padding=1, bias=False), nn.BatchNorm2d(features), nn.ReLU()
        )
        self.features = features

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.transition(super().forward(images))
        return found


class TransitionClassifier(MapClassifier):
    """Logits (B, C) of images (B, 1, H, W), with a transition layer between encoder and pooling."""

    def __init__(self, classes: int, *, pooling: Pooling = mean_pooling, features: int = 64) -> None:
        super().__init__(classes, pooling=pooling)
        self.encoder = TransitionEncoder(features)
        self.outer = nn.Linear(features, classes)
