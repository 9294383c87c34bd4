"""Codes of boxed places of a one-channel image, and what they say: attributes, or change between two images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from groundglass.nets.graph_convolution import GraphConvolution
from groundglass.nets.residual_encoder import STRIDE, ResidualEncoder
from groundglass.nets.roi_align import roi_align


class PlaceCodes(nn.Module):
    """Images (B, 1, H, W) and boxes of P places (B, P, 4) in pixels -> (B, P, F * bins * bins)."""

    def __init__(self, *, bins: int = 3) -> None:
        super().__init__()
        self.encoder = ResidualEncoder()
        self.bins = bins
        self.size = self.encoder.features * bins * bins

    def forward(self, images: Tensor, boxes: Tensor) -> Tensor:
        return roi_align(self.encoder(images), boxes, size=self.bins, scale=1 / STRIDE).flatten(2)


class PlaceAttributes(nn.Module):
    """Logits (B, P, A) of A attributes in each of P places; a place without a box gets its bias alone.

    Each place has a code of its own, added to that of its box: the same shadow means something else elsewhere. With
    `adjacency` (P, P), non-negative, two graph convolutions let the places tell each other what they hold.
    """

    def __init__(self, places: int, attributes: int, *, hidden: int = 64, adjacency: Tensor | None = None) -> None:
        super().__init__()
        self.codes = PlaceCodes()
        self.inner = nn.Linear(self.codes.size, hidden)
        self.place = nn.Embedding(places, hidden)
        self.outer = nn.Linear(hidden, attributes)
        self.graph = (
            None
            if adjacency is None
            else nn.ModuleList(
                [GraphConvolution(hidden, hidden, adjacency), GraphConvolution(hidden, hidden, adjacency)]
            )
        )

    def forward(self, images: Tensor, boxes: Tensor) -> Tensor:
        held = torch.relu(self.inner(self.codes(images, boxes)) + self.place.weight)
        if self.graph is not None:
            first, second = self.graph
            held = held + second(torch.relu(first(held)))
        found: Tensor = self.outer(nn.functional.dropout(held, 0.2, self.training))
        return found


class PlaceChange(nn.Module):
    """Improved, no change and worsened in each place, from the codes of both films side by side.

    The two films go through one encoder. With `prior=False` the earlier film is not looked at.
    """

    def __init__(self, places: int, *, hidden: int = 128, prior: bool = True) -> None:
        super().__init__()
        self.codes = PlaceCodes()
        self.prior = prior
        self.inner = nn.Linear(self.codes.size * (2 if prior else 1), hidden)
        self.place = nn.Embedding(places, hidden)
        self.outer = nn.Linear(hidden, 3)

    def forward(self, images: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, P, 3) of images (B, 2, H, W), earlier first, with boxes (B, 2, P, 4): as they come, and of the
        same films in the other order."""
        codes = self.codes(images.flatten(0, 1)[:, None], boxes.flatten(0, 1))
        first, second = codes.unflatten(0, (-1, 2)).unbind(1)
        return self._compared(first, second), self._compared(second, first)

    def _compared(self, earlier: Tensor, later: Tensor) -> Tensor:
        beside = torch.cat([earlier, later], dim=-1) if self.prior else later
        held = torch.relu(self.inner(beside) + self.place.weight)
        found: Tensor = self.outer(nn.functional.dropout(held, 0.5, self.training))
        return found
