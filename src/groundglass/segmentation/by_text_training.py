"""The recipe of a network that is guided by text: Dice and cross-entropy on pairs of sentence and lesion.

Pairs come from reports (`mined_exam`: SUVmax and slice name the lesion, then both are cut from the sentence, which they
would tell the answer of) or from masks drawn by hand (`TextExam.of`). The body goes in whole and is never mirrored. All
sentences of an exam may share one step: the same image with another sentence is what teaches to read. The paper trains
300 epochs with 5 of warm-up, one exam a step; the text encoder stays frozen.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import adaptive_max_pool3d

from groundglass.core import ConfigurationError, GroundglassError, Image, InputError, Mask, ModelCitation
from groundglass.io import read_image
from groundglass.learn import NumberedBatches, Plan
from groundglass.learn import train as fit
from groundglass.learn.objectives.lesion_dice_and_cross_entropy import lesion_dice_and_cross_entropy
from groundglass.models import save_model
from groundglass.nets.sentence_tokens import SentenceEncoder, Tokens
from groundglass.nets.text_gated_unet import FILTERS, STRIDES, TextGatedUNet
from groundglass.segmentation.by_text import ENCODER, TextSegmenter
from groundglass.segmentation.pet_frame import FRAME, PetFrame
from groundglass.segmentation.stated_uptake import stated_lesions
from groundglass.text.mining import mined, without_numbers
from groundglass.text.plain import plain


@dataclass(frozen=True, eq=False)
class TextExam:
    """An exam in its frame: `pixels` (2, *frame), and the lesion (K, *frame) of each of K sentences."""

    pixels: NDArray[np.float32]
    lesions: NDArray[np.bool_]
    sentences: tuple[str, ...]

    @classmethod
    def of(
        cls, pet: Image, ct: Image, lesions: Sequence[tuple[str, Mask]], *, frame: tuple[int, int, int] = FRAME
    ) -> TextExam:
        """From sentences, as they are to be read, and masks on the PET's grid. Raises as `PetFrame`."""
        framed = PetFrame.of(pet, ct, frame=frame)
        kept = [(text, found) for text, mask in lesions if (found := framed.framed(mask)).any()]
        masks = np.array([found for _, found in kept], dtype=bool).reshape(-1, *frame)
        return cls(framed.pixels, masks, tuple(text for text, _ in kept))


def mined_exam(pet: Image, ct: Image, report: str, *, frame: tuple[int, int, int] = FRAME) -> TextExam:
    """An exam with the lesions that its report names by SUVmax and slice; the sentences without either number."""
    text, pairs = plain(report), []
    for found in stated_lesions(pet, mined(text)):
        if found.mask is not None:
            pairs.append((without_numbers(text[found.row.start : found.row.end]), found.mask))
    return TextExam.of(pet, ct, pairs, frame=frame)


def mined_exams(
    folder: Path,
    *,
    frame: tuple[int, int, int] = FRAME,
    skipped: Callable[[Path, GroundglassError], None] | None = None,
) -> Iterator[TextExam]:
    """The exams of an archive: every folder in `folder` with `pet` and `ct` (folders of DICOM files) and `report.txt`.

    An exam that cannot be read is handed to `skipped` with its error, and raises where there is none to tell; one whose
    report names no lesion that can be found gives nothing.
    """
    for here in sorted(path for path in folder.iterdir() if path.is_dir()):
        try:
            report = _report(here / "report.txt")
            exam = mined_exam(read_image(here / "pet"), read_image(here / "ct"), report, frame=frame)
        except GroundglassError as error:
            if skipped is None:
                raise
            skipped(here, error)
            continue
        if exam.sentences:
            yield exam


class Stage(NamedTuple):
    """`steps` of training with up to `sentences` of one exam each, answered by the first `levels` of the decoder.

    The coarse levels cost little, and are where a network learns which word means which part of the body.
    """

    steps: int
    sentences: int = 1
    levels: int | None = None
    learning_rate: float = 1.5e-3


def train_by_text(
    folder: Path,
    exams: Sequence[TextExam],
    *,
    encoder: str | Path,
    stages: Sequence[Stage],
    filters: Sequence[int] = FILTERS,
    strides: Sequence[int] = STRIDES,
    pooled: bool = False,
    precision: Literal["no", "bf16", "fp16"] = "bf16",
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> TextSegmenter:
    """Train into `folder` (weights, config and, where it is a local one, the encoder); a killed run goes on.

    Each stage warms up for 5 of 300 parts of its steps and falls by a cosine; the paper's is one stage of 300 steps an
    exam, all levels. The weights are a running mean over about a hundred steps. Raises ConfigurationError for an
    encoder that cannot be loaded, without an exam, for exams in different frames, and for a frame that the strides do
    not divide.
    """
    frame = _frame(exams)
    reader = SentenceEncoder(encoder)
    torch.manual_seed(seed)
    architecture = {"text_width": reader.width, "filters": list(filters), "strides": list(strides)}
    network = TextGatedUNet(**architecture).to(memory_format=torch.channels_last_3d)
    if any(side % network.stride for side in frame):
        raise ConfigurationError(
            f"frame {frame}", f"is not divided by {network.stride}", "Choose a frame or strides that fit."
        )
    citation = ModelCitation("segmentation by text", "1")
    made = TextSegmenter(network, reader, frame, citation, pooled=pooled)
    read = [made.tokens(list(exam.sentences)) for exam in exams]  # the encoder is frozen: once is enough
    for number, stage in enumerate(stages, start=1):
        plan = Plan(
            stage.steps, stage.learning_rate, 1e-4, warmup=max(1, stage.steps // 60), average=0.99,
            precision=precision, checkpoint_every=200, seed=seed,
        )  # fmt: skip
        batches = _Batches(exams, read, stage.sentences, seed + number)
        fit(network, batches, _objective(stage.levels), plan, folder=folder / f"stage-{number}", progress=progress)
    network.cpu().requires_grad_(False).eval()
    config = {
        "name": citation.name, "version": citation.version, "architecture": {"net": "TextGatedUNet", **architecture},
        "encoder": _kept(folder, encoder), "frame": list(frame), "pooled": pooled,
    }  # fmt: skip
    save_model(folder, network, config)
    return made


def _report(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, f"is no report that can be read ({error})", "Put the report there as text.") from error


def _frame(exams: Sequence[TextExam]) -> tuple[int, int, int]:
    """The one frame of all exams."""
    frames = {exam.pixels.shape[1:] for exam in exams}
    if len(frames) != 1:
        raise ConfigurationError(f"{len(exams)} exams", f"lie in {len(frames)} frames", "Give exams in one frame.")
    x, y, z = frames.pop()
    return x, y, z


def _kept(folder: Path, encoder: str | Path) -> str:
    """The encoder's name; a local one is copied into the model's folder, so that it can be moved as one."""
    if not Path(encoder).is_dir():
        return str(encoder)
    shutil.copytree(encoder, folder / ENCODER, dirs_exist_ok=True)
    return ENCODER


class _Batches(NumberedBatches[dict[str, torch.Tensor]]):
    """One exam a batch: "image" (1, 2, *frame), "tokens" and "padding" of K sentences, "lesions" (K, *frame) uint8."""

    def __init__(self, exams: Sequence[TextExam], read: Sequence[Tokens], sentences: int, seed: int) -> None:
        self.exams, self.read, self.sentences, self.seed = exams, read, sentences, seed

    def batch(self, number: int) -> dict[str, torch.Tensor]:
        rng = self.generator(number)
        at = int(rng.integers(len(self.exams)))
        exam, tokens = self.exams[at], self.read[at]
        chosen = rng.permutation(len(exam.sentences))[: self.sentences]
        return {
            "image": torch.from_numpy(exam.pixels)[None],
            "lesions": torch.from_numpy(exam.lesions[chosen].astype(np.uint8)),
            "tokens": tokens.vectors[chosen],
            "padding": tokens.padding[chosen],
        }


def _objective(levels: int | None) -> Callable[[torch.nn.Module, dict[str, torch.Tensor]], torch.Tensor]:
    """The mean loss of the decoder's levels; a coarse voxel holds a lesion when one of its voxels does."""

    def loss(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        assert isinstance(model, TextGatedUNet)
        answers = model.levels(batch["image"], batch["tokens"], batch["padding"], count=levels)
        fine = batch["lesions"].float()
        each = [lesion_dice_and_cross_entropy(a, adaptive_max_pool3d(fine, a.shape[2:])) for a in answers]
        return torch.stack(each).mean()

    return loss
