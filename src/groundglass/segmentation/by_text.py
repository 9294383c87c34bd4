"""From a PET/CT and a sentence to the lesion that the sentence describes (ConTEXTual Net 3D, arXiv 2502.00528)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.core import (
    Attribute,
    ConfigurationError,
    Evidence,
    Finding,
    Image,
    InputError,
    Location,
    Mask,
    ModelCitation,
    ontology,
)
from groundglass.measurement import uptake_measurements
from groundglass.metrics.segmentation import components
from groundglass.nets.sentence_tokens import SentenceEncoder, Tokens
from groundglass.nets.text_gated_unet import TextGatedUNet
from groundglass.segmentation.pet_frame import PetFrame
from groundglass.segmentation.sliding import fast_inference
from groundglass.text.mining import without_numbers

ENCODER = "encoder"
"""Folder of the text encoder in a model's folder, where it is not one of the hub."""


@dataclass(frozen=True, eq=False)
class TextSegmenter:
    """A trained network, the frozen encoder of its sentences, and the frame that it sees a body in.

    `pooled` hands the network every sentence as one token, the mean of its own.
    """

    network: TextGatedUNet
    encoder: SentenceEncoder
    frame: tuple[int, int, int]
    citation: ModelCitation
    pooled: bool = False

    @classmethod
    def load(cls, folder: str | Path) -> TextSegmenter:
        """A folder that `train_by_text` wrote. Raises ConfigurationError when it is none."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        folder = Path(folder)
        try:
            config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            architecture = {name: value for name, value in config["architecture"].items() if name != "net"}
            network = TextGatedUNet(**architecture)
            weights = load_file(folder / "weights.safetensors")
            network.load_state_dict({name: value.float() for name, value in weights.items()})
        except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
            raise ConfigurationError(
                folder, f"holds no network that is guided by text ({error})", "Train one with train_by_text."
            ) from error
        encoder = SentenceEncoder(folder / ENCODER if config["encoder"] == ENCODER else config["encoder"])
        citation = ModelCitation(config["name"], config["version"])
        network.requires_grad_(False).eval()
        return cls(network, encoder, tuple(config["frame"]), citation, pooled=config["pooled"])

    def tokens(self, sentences: list[str]) -> Tokens:
        """The sentences as the network reads them; numbers that would tell the place are for the caller to cut."""
        made = self.encoder.tokens(sentences)
        return made.pooled() if self.pooled else made

    def masks(self, framed: PetFrame, sentences: list[str]) -> tuple[Mask, ...]:
        """One mask on the PET's grid for each sentence, empty where nothing was found.

        A sentence names one lesion: of the components that the network finds the one with its surest voxel is kept.
        """
        with fast_inference():
            logits = self.network(torch.from_numpy(framed.pixels)[None], *self.tokens(sentences)).float()
        return tuple(framed.mask(_surest(one)) for one in (logits[:, 1] - logits[:, 0]).numpy())


def segment_by_text(
    pet: Image, ct: Image, sentences: Mapping[str, str], *, model: str | Path | TextSegmenter
) -> tuple[Finding, ...]:
    """The lesion of each sentence (id -> text) that the network finds one for, with its uptake and its slices.

    `model` is a folder that `train_by_text` wrote. SUVmax and slice number are cut from a sentence: the network was
    trained without them. Slices are counted from 1 in the order in which the PET stores them. Raises
    ConfigurationError for the model, InputError for the images or when a sentence says nothing but numbers.
    """
    segmenter = model if isinstance(model, TextSegmenter) else TextSegmenter.load(model)
    said = {name: without_numbers(text) for name, text in sentences.items()}
    for name, text in said.items():
        if not any(letter.isalpha() for letter in text):
            raise InputError(f"sentence {name}", "has no words that say where", "Write what lies where.")
    if not said:
        return ()
    masks = segmenter.masks(PetFrame.of(pet, ct, frame=segmenter.frame), list(said.values()))
    return tuple(
        _finding(mask, pet, name, sentences[name], segmenter.citation)
        for name, mask in zip(said, masks, strict=True)
        if not mask.is_empty
    )


def _surest(odds: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The connected component of odds (log) above 0 that holds their maximum; empty where none is above."""
    labels, _ = components(odds > 0)
    at = np.unravel_index(int(odds.argmax()), odds.shape)
    return np.asarray((labels == labels[at]) & (labels > 0))


def _finding(mask: Mask, pet: Image, name: str, sentence: str, model: ModelCitation) -> Finding:
    axial = int(np.abs(pet.affine[2, :3] / np.linalg.norm(pet.affine[:3, :3], axis=0)).argmax())
    first, last = mask.box.start[axial] + 1, mask.box.stop[axial]
    return Finding(
        name,
        ontology()["lesion"],
        where=Location(mask=mask, image=pet.name),
        attributes=(Attribute("axial slices", f"{first}-{last}"),),
        measurements=uptake_measurements(mask, pet.array[0]),
        evidence=(
            Evidence("sentence", name, detail=sentence),
            Evidence("model", model.name, model.version, detail=sentence),
        ),
    )
