"""The film U-Net: logits on the picture's own grid, one pixel apart where the picture is."""

from __future__ import annotations

import torch

from groundglass.nets.film_unet import FilmUNet


def test_logits_lie_on_the_grid_of_the_picture() -> None:
    torch.manual_seed(0)
    net = FilmUNet(out_channels=3, filters=(4, 8)).eval()
    assert net.stride == 4
    picture = torch.rand(2, 1, 16, 24)
    with torch.no_grad():
        logits = net(picture)
        other = picture.clone()
        other[0, 0, 5, 7] += 1.0
        moved = (net(other) - logits).abs().amax(dim=1)
    assert logits.shape == (2, 3, 16, 24)
    # The picture itself is an input of the last convolution: the pixel that changed is felt most near its place.
    assert moved[1].max() == 0
    row, column = divmod(int(moved[0].argmax()), 24)
    assert abs(row - 5) <= 2
    assert abs(column - 7) <= 2
