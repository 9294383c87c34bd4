"""The network that guesses SSIM from a slice alone: a ResNet-18 of one input channel and one output, narrow if wanted.

Sciarra et al., arXiv 2206.06725. He et al., CVPR 2016 for the network (MONAI's).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

BATCH = 64


def motion_network(width: int = 64) -> torch.nn.Module:
    """ResNet-18 on (B, 1, H, W) -> (B, 1) without activation; `width` channels in its first block (64 as published)."""
    from monai.networks.nets.resnet import ResNet

    return ResNet(
        block="basic",
        layers=[2, 2, 2, 2],
        block_inplanes=[width, 2 * width, 4 * width, 8 * width],
        spatial_dims=2,
        n_input_channels=1,
        conv1_t_size=5,
        conv1_t_stride=2,
        num_classes=1,
    )


def score_objective(model: torch.nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Mean squared error of the scores; batch: slices (B, 1, H, W) and SSIM (B,)."""
    slices, scores = batch
    return torch.nn.functional.mse_loss(model(slices)[:, 0], scores)


@torch.no_grad()
def network_scores(model: torch.nn.Module, slices: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, H, W) in [0, 1] -> (n,) scores, cut off to [0, 1]: the mean over the slice turned and mirrored in all 8 ways,
    since motion has the same score in each."""
    model.eval()
    held = torch.from_numpy(np.ascontiguousarray(slices))[:, None]
    views = [turned.flip(axes) for turned in (held, held.mT) for axes in ((), (2,), (3,), (2, 3))]
    scores = [torch.cat([model(part)[:, 0] for part in view.split(BATCH)]) for view in views]
    return np.asarray(torch.stack(scores).mean(dim=0).clamp(0, 1).double().numpy())
