"""Writes data/sam_answers.npz: what the published code says with random weights, on a small picture.

Run under an interpreter with segment_anything 1.0, torchvision and scikit-image. The weights are drawn anew by their
names from `random_weights`, so that answers and shapes are all that is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "data" / "sam_answers.npz"
SIDE, GRID, WIDTH, OUT, WINDOW = 64, 4, 32, 16, 3
SHAPE = (22, 33)
POINTS, LABELS = np.array([[7, 12], [25, 3]]), np.array([1, 0])
STROKE = np.array([[7, 12], [8, 12], [9, 13], [25, 3]])
BOX = np.array([4, 5, 24, 18])


def random_weights(shapes: Mapping[str, Sequence[int]]) -> dict[str, np.ndarray]:
    """The same weights for the same names: norms about one, the rest about zero."""
    weights = {}
    for number, name in enumerate(sorted(shapes)):
        rng = np.random.default_rng([89, number])
        norm = len(shapes[name]) == 1 and name.endswith("weight")
        spread = 1.0 if "gaussian" in name else 0.4
        weights[name] = (norm + spread * rng.standard_normal(shapes[name])).astype(np.float32)
    return weights


def picture() -> np.ndarray:
    """(22, 33) bytes, smooth, from 0 to 255."""
    rows, columns = np.indices(SHAPE)
    waves = np.sin(rows / 3) + np.cos(columns / 5) + np.sin((rows + columns) / 4)
    return np.rint(255 * (waves - waves.min()) / np.ptp(waves)).astype(np.uint8)


def main() -> None:
    from functools import partial

    import torch
    from segment_anything import SamPredictor
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
    from skimage.transform import resize
    from torch.nn.functional import interpolate

    sam = Sam(
        image_encoder=ImageEncoderViT(
            depth=3, embed_dim=WIDTH, img_size=SIDE, norm_layer=partial(torch.nn.LayerNorm, eps=1e-6), num_heads=4,
            use_rel_pos=True, global_attn_indexes=(1,), window_size=WINDOW, out_chans=OUT,
        ),
        prompt_encoder=PromptEncoder(
            embed_dim=OUT, image_embedding_size=(GRID, GRID), input_image_size=(SIDE, SIDE), mask_in_chans=16
        ),
        mask_decoder=MaskDecoder(
            transformer=TwoWayTransformer(depth=2, embedding_dim=OUT, mlp_dim=48, num_heads=8), transformer_dim=OUT,
            iou_head_hidden_dim=24,
        ),
    ).eval()  # fmt: skip
    shapes = {name: tuple(value.shape) for name, value in sam.state_dict().items()}
    sam.load_state_dict({name: torch.from_numpy(value) for name, value in random_weights(shapes).items()})
    grey, answers = picture(), {}
    colour = np.repeat(grey[..., None], 3, axis=2)
    predictor = SamPredictor(sam)
    predictor.set_image(colour)
    masks, quality, _ = predictor.predict(POINTS[:1], LABELS[:1], return_logits=True)
    answers["one click"] = masks[quality.argmax()]
    for name, given in {
        "two clicks": {"point_coords": POINTS, "point_labels": LABELS},
        "box": {"box": BOX},
        "clicks and box": {"point_coords": POINTS, "point_labels": LABELS, "box": BOX},
    }.items():
        answers[name] = predictor.predict(**given, multimask_output=False, return_logits=True)[0][0]

    def decoded(square: torch.Tensor, points: object, boxes: object, many: bool) -> tuple[torch.Tensor, torch.Tensor]:
        features = sam.image_encoder(square)
        sparse, dense = sam.prompt_encoder(points=points, boxes=boxes, masks=None)
        return sam.mask_decoder(features, sam.prompt_encoder.get_dense_pe(), sparse, dense, many)

    scale = SIDE / np.array(SHAPE[::-1])
    with torch.no_grad():
        # MedSAM's inference script.
        large = resize(colour, (SIDE, SIDE), order=3, preserve_range=True, anti_aliasing=True).astype(np.uint8)
        large = (large - large.min()) / (large.max() - large.min())
        box = torch.as_tensor(BOX * np.tile(scale, 2), dtype=torch.float)[None, None]
        coarse, _ = decoded(torch.tensor(large).float().permute(2, 0, 1)[None], None, box, False)
        answers["MedSAM"] = interpolate(coarse.sigmoid(), SHAPE, mode="bilinear")[0, 0].numpy()
        # ScribblePrompt-SAM's predict.
        smooth = interpolate(torch.from_numpy(grey / np.float32(255))[None, None], (SIDE, SIDE), mode="bilinear")
        points = torch.tensor(STROKE * scale).float()[None], torch.tensor([[1, 1, 1, 0]])
        coarse, best = decoded(sam.preprocess(255 * smooth.repeat(1, 3, 1, 1)), points, None, True)
        full = sam.postprocess_masks(coarse, (SIDE, SIDE), SHAPE)
        answers["ScribblePrompt-SAM"] = full[0, int(best.argmax())].numpy()
    DATA.parent.mkdir(exist_ok=True)
    layout = np.array([f"{name} {' '.join(map(str, shape))}" for name, shape in shapes.items()])
    np.savez_compressed(DATA, layout=layout, **{k: v.astype(np.float32) for k, v in answers.items()})


if __name__ == "__main__":
    main()
