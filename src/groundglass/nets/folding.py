"""A network for inference alone: what normalisation does is done by the convolution before it."""

from __future__ import annotations

from copy import deepcopy

from torch import nn
from torch.nn.utils import fuse_conv_bn_eval


def folded(network: nn.Module) -> nn.Module:
    """A copy in evaluation mode without the batch normalisations that follow a convolution in an nn.Sequential.

    It answers as before, up to rounding, and is no longer to be trained.
    """
    copy = deepcopy(network).eval()
    for module in list(copy.modules()):
        if isinstance(module, nn.Sequential):
            for at in range(len(module) - 1):
                if isinstance(module[at], nn.Conv2d) and isinstance(module[at + 1], nn.BatchNorm2d):
                    module[at], module[at + 1] = fuse_conv_bn_eval(module[at], module[at + 1]), nn.Identity()
    return copy
