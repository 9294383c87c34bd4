"""A network of one question, "is this picture mirrored?", that is odd by construction.

f(x) = mean over members of g(x) - g(mirror x), so f(mirror x) = -f(x) exactly: no picture can be called mirrored in
both of its mirror images, and every training picture teaches both answers.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, pad


class OddNet(nn.Module):
    """(B, 1, H, W), any grey scale -> (B,) logit that the picture is mirrored left to right.

    `members` independent networks of four levels are averaged. Each sees the picture normalised as a whole and within
    windows of `window` pixels, so that a dense half does not hide the ribs in it.
    """

    def __init__(self, *, width: int = 12, members: int = 2, window: int = 29) -> None:
        super().__init__()
        self.window = window
        self.members = nn.ModuleList(_member(width) for _ in range(members))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.answers(image).mean(dim=1)

    def answers(self, image: torch.Tensor) -> torch.Tensor:
        """(B, members): each member's own logit."""
        seen = self._normalised(image)
        both = torch.cat([seen, seen.flip(-1)])
        columns = [member(both)[:, 0] for member in self.members]
        return torch.stack([column[len(image) :] - column[: len(image)] for column in columns], dim=1)

    def _normalised(self, image: torch.Tensor) -> torch.Tensor:
        whole = (image - image.mean((2, 3), keepdim=True)) / (image.std((2, 3), keepdim=True) + 1e-3)
        centred = image - self._window_mean(image)
        return torch.cat([whole, centred / (self._window_mean(centred**2).sqrt() + 0.02)], dim=1)

    def _window_mean(self, image: torch.Tensor) -> torch.Tensor:
        return avg_pool2d(pad(image, (self.window // 2,) * 4, mode="reflect"), self.window, stride=1)


def _member(width: int) -> nn.Sequential:
    levels = [_level(2, width, kernel=5), _level(width, 2 * width), _level(2 * width, 4 * width)]
    levels.append(_level(4 * width, 4 * width))
    # Three by three cells keep where something was seen: the side is all that matters.
    head = [nn.AdaptiveAvgPool2d((3, 3)), nn.Flatten(), nn.Dropout(0.3), nn.Linear(36 * width, 1)]
    return nn.Sequential(*levels, *head)


def _level(inputs: int, outputs: int, *, kernel: int = 3) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width, size, stride in ((inputs, kernel, 2), (outputs, 3, 1)):
        layers += [nn.Conv2d(width, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs)]
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)
