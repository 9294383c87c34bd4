"""SAM in 2D (Kirillov et al., ICCV 2023, arXiv 2304.02643) from weights under their published names.

The network is transformers' SamModel; its sizes are read off the weights, so that ViT-B, L and H and smaller ones load.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import SamModel

# Published name -> name in SamModel, applied in turn. Neither code's numbers of Sequential layers are the other's.
_RENAMED = (
    (r"^image_encoder\.", "vision_encoder."),
    (r"\.patch_embed\.proj\.", ".patch_embed.projection."),
    (r"^vision_encoder\.blocks\.", "vision_encoder.layers."),
    (r"\.neck\.0\.", ".neck.conv1."),
    (r"\.neck\.1\.", ".neck.layer_norm1."),
    (r"\.neck\.2\.", ".neck.conv2."),
    (r"\.neck\.3\.", ".neck.layer_norm2."),
    (r"\.norm(\d)\.", r".layer_norm\1."),
    (r"\.norm_final_attn\.", ".layer_norm_final_attn."),
    (r"\.pe_layer\.positional_encoding_gaussian_matrix$", ".shared_embedding.positional_embedding"),
    (r"\.point_embeddings\.", ".point_embed."),
    (r"\.mask_downscaling\.0\.", ".mask_embed.conv1."),
    (r"\.mask_downscaling\.1\.", ".mask_embed.layer_norm1."),
    (r"\.mask_downscaling\.3\.", ".mask_embed.conv2."),
    (r"\.mask_downscaling\.4\.", ".mask_embed.layer_norm2."),
    (r"\.mask_downscaling\.6\.", ".mask_embed.conv3."),
    (r"\.output_upscaling\.0\.", ".upscale_conv1."),
    (r"\.output_upscaling\.1\.", ".upscale_layer_norm."),
    (r"\.output_upscaling\.3\.", ".upscale_conv2."),
    (r"(_mlps\.\d|_head)\.layers\.0\.", r"\1.proj_in."),
    (r"(_mlps\.\d|_head)\.layers\.1\.", r"\1.layers.0."),
    (r"(_mlps\.\d|_head)\.layers\.2\.", r"\1.proj_out."),
)
# The same random frequencies, for prompts and for the grid of the image.
_SHARED = "prompt_encoder.shared_embedding.positional_embedding"
_SHARED_TOO = "shared_image_embedding.positional_embedding"
WINDOW = 14
# PyTorch's own, which the published decoder keeps where transformers has another.
_DECODER_EPSILON = 1e-5


def renamed(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights under the published names (`sam_vit_b_01ec64.pth`, `medsam_vit_b.pth`), under SamModel's. Those that have
    SamModel's names already keep them."""
    is_published = any(name.startswith("image_encoder.") for name in weights)
    named = {_own_name(name) if is_published else name: value for name, value in weights.items()}
    for one, other in ((_SHARED, _SHARED_TOO), (_SHARED_TOO, _SHARED)):
        if one in named:
            named.setdefault(other, named[one])
    return named


def _own_name(name: str) -> str:
    for pattern, own in _RENAMED:
        name = re.sub(pattern, own, name)
    return name


def planar_sam(weights: Mapping[str, torch.Tensor]) -> SamModel:
    """A SamModel with fresh weights, of the sizes that `renamed` weights have. Raises KeyError where a layer that tells
    a size is missing."""
    from transformers import SamConfig, SamMaskDecoderConfig, SamModel, SamPromptEncoderConfig, SamVisionConfig

    width, _, patch, _ = weights["vision_encoder.patch_embed.projection.weight"].shape
    grid = weights["vision_encoder.pos_embed"].shape[1]
    out = weights["vision_encoder.neck.conv1.weight"].shape[0]
    lengths = _relative_lengths(weights)
    whole = [block for block, length in enumerate(lengths) if length == 2 * grid - 1]
    windows = [length for length in lengths if length != 2 * grid - 1]
    vision = SamVisionConfig(
        hidden_size=width, output_channels=out, num_hidden_layers=len(lengths),
        num_attention_heads=width // weights["vision_encoder.layers.0.attn.rel_pos_h"].shape[1],
        image_size=grid * patch, patch_size=patch, global_attn_indexes=whole, num_pos_feats=out // 2,
        window_size=(windows[0] + 1) // 2 if windows else WINDOW,
        mlp_dim=weights["vision_encoder.layers.0.mlp.lin1.weight"].shape[0],
    )  # fmt: skip
    prompts = SamPromptEncoderConfig(
        hidden_size=out, image_size=grid * patch, patch_size=patch,
        mask_input_channels=weights["prompt_encoder.mask_embed.conv2.weight"].shape[0],
    )  # fmt: skip
    decoder = SamMaskDecoderConfig(
        hidden_size=out, layer_norm_eps=_DECODER_EPSILON,
        mlp_dim=weights["mask_decoder.transformer.layers.0.mlp.lin1.weight"].shape[0],
        iou_head_hidden_dim=weights["mask_decoder.iou_prediction_head.proj_in.weight"].shape[0],
    )  # fmt: skip
    return SamModel(SamConfig(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder))


def _relative_lengths(weights: Mapping[str, torch.Tensor]) -> list[int]:
    """How many relative positions each block of the image encoder has: those of its window, or of the whole grid."""
    lengths = []
    while (name := f"vision_encoder.layers.{len(lengths)}.attn.rel_pos_h") in weights:
        lengths.append(len(weights[name]))
    return lengths
