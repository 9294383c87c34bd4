"""SAM's published weights: answers of the published code (segment_anything 1.0) with random weights of the same names.

`sam_answers.py` wrote them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sam_answers import BOX, DATA, LABELS, POINTS, SHAPE, STROKE, picture, random_weights

from groundglass.core import ConfigurationError, InputError, UnsupportedError
from groundglass.segmentation.interactive import SamEngine, Session, named_engine, sam_engine
from groundglass.segmentation.interactive.answer import Strokes
from groundglass.segmentation.interactive.sam import middles

PLANE = picture() / np.float32(255)
HALF_OPEN = (int(BOX[1]), int(BOX[0]), int(BOX[3]) + 1, int(BOX[2]) + 1)


@pytest.fixture(scope="module")
def answers() -> dict[str, np.ndarray]:
    with np.load(DATA) as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def weights(answers: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    lines = (line.split(" ") for line in answers["layout"].tolist())
    shapes = {name: tuple(int(n) for n in sides) for name, *sides in lines}
    return {name: torch.from_numpy(value) for name, value in random_weights(shapes).items()}


def engine(weights: dict[str, torch.Tensor], folder: Path, name: str = "sam_vit_b_01ec64.pth") -> SamEngine:
    torch.save(weights, folder / name)
    loaded = named_engine(folder / name)
    assert isinstance(loaded, SamEngine) and loaded.citation.version == name
    return loaded


def strokes(points: np.ndarray, *, outside: int = 0, box: bool = False) -> Strokes:
    """The last `outside` of (x, y) as clicks outside, the others inside."""
    pixels = points[:, ::-1]
    inside = len(points) - outside
    return Strokes(pixels[:inside], pixels[inside:], HALF_OPEN if box else None)


def test_sam_answers_as_the_published_code(
    weights: dict[str, torch.Tensor], answers: dict[str, np.ndarray], tmp_path: Path
) -> None:
    sam = engine(weights, tmp_path)
    assert sam.recipe == "sam" and sam.side == 64 and LABELS.tolist() == [1, 0]
    drawn = {
        "one click": strokes(POINTS[:1]),
        "two clicks": strokes(POINTS, outside=1),
        "box": Strokes(box=HALF_OPEN),
        "clicks and box": strokes(POINTS, outside=1, box=True),
    }
    for name, prompts in drawn.items():
        assert answers[name].std() > 0.05
        assert np.abs(sam.plane_logits(PLANE, prompts) - answers[name]).max() < 1e-4, name
    assert len(sam._encoded) == 1


def test_medsam_and_scribbleprompt_prepare_slices_in_their_own_ways(
    weights: dict[str, torch.Tensor], answers: dict[str, np.ndarray], tmp_path: Path
) -> None:
    medsam = engine(weights, tmp_path, "medsam_vit_b.pth")
    share = 1 / (1 + np.exp(-medsam.plane_logits(PLANE, Strokes(box=HALF_OPEN))))
    assert answers["MedSAM"].std() > 0.01
    assert np.abs(share - answers["MedSAM"]).max() < 1e-4
    with pytest.raises(UnsupportedError, match="not understood by MedSAM"):
        medsam.plane_logits(PLANE, strokes(POINTS[:1]))
    drawn = engine(weights, tmp_path, "ScribblePrompt_sam_v1_vit_b_res128.pt")
    found = drawn.plane_logits(PLANE, strokes(STROKE, outside=1))
    assert np.abs(found - answers["ScribblePrompt-SAM"]).max() < 1e-4


def test_transformers_names_load_too_and_other_files_are_refused(
    weights: dict[str, torch.Tensor], answers: dict[str, np.ndarray], tmp_path: Path
) -> None:
    torch.save(engine(weights, tmp_path).network.state_dict(), tmp_path / "pytorch_model.bin")
    again = named_engine(tmp_path / "pytorch_model.bin")
    assert isinstance(again, SamEngine)
    assert np.abs(again.plane_logits(PLANE, Strokes(box=HALF_OPEN)) - answers["box"]).max() < 1e-4
    torch.save({n: v for n, v in weights.items() if "pos_embed" not in n}, tmp_path / "a.pth")
    with pytest.raises(InputError, match="pos_embed"):
        sam_engine(tmp_path / "a.pth")
    torch.save({**weights, "mask_decoder.iou_token.bias": torch.zeros(1)}, tmp_path / "b.pth")
    with pytest.raises(InputError, match="iou_token"):
        sam_engine(tmp_path / "b.pth")
    with pytest.raises(ConfigurationError, match="recipe"):
        sam_engine(tmp_path / "sam_vit_b_01ec64.pth", recipe="other")  # type: ignore[arg-type]


def test_a_session_asks_it_and_carries_boxes_through_a_volume(weights: dict[str, torch.Tensor], tmp_path: Path) -> None:
    volume = np.repeat(picture()[..., None], 3, axis=2)
    session = Session(volume, engine=engine(weights, tmp_path))
    session.box(tuple(int(v) for v in BOX), 1)
    first = session.mask
    assert first[..., 1].any() and not first[..., [0, 2]].any()
    session.propagate()
    # Slices are alike: a carried slice answers to the box of the mask before it.
    rows, columns = (np.flatnonzero(first[..., 1].any(axis=axis)) for axis in (1, 0))
    about = Session(volume[..., 0], engine=session.engine)
    about.box((columns[0], rows[0], columns[-1], rows[-1]))
    carried = session.mask[..., 0]
    assert np.array_equal(carried, about.mask) or not carried.any()
    session.click((3, 3), False, 1)
    assert not session.mask[3, 3, 1]
    session.undo(), session.undo()
    assert np.array_equal(session.mask, first)


def test_a_stroke_counts_as_one_click_in_its_middle() -> None:
    line, dot = [(4, k) for k in range(2, 9)], [(11, 1)]
    assert sorted(map(tuple, middles(np.array(line + dot)).tolist())) == [(4, 5), (11, 1)]
    assert middles(np.empty((0, 2), dtype=np.intp)).shape == (0, 2)
    assert PLANE.shape == SHAPE
