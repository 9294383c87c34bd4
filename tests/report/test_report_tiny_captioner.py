"""The captioner learns a toy language of shapes, in two and three dimensions."""

import numpy as np
import pytest
import torch

from groundglass.core.errors import ConfigurationError
from groundglass.report.generation.tiny_captioner import TinyCaptioner, caption, train_captioner
from groundglass.report.generation.vocabulary import Vocabulary


def _toy(count, spatial, seed):
    """A bright blob on the left or right, large or small; the text names both."""
    rng = np.random.default_rng(seed)
    images = rng.normal(0.2, 0.05, (count, 1, *(32 if spatial == 2 else 16,) * spatial)).astype(np.float32)
    texts = []
    for image in images:
        side, size = rng.integers(2), rng.integers(2)
        half = image.shape[-1] // 2
        edge = half // 4 + size * half // 3
        start = side * half + 1
        image[0, ..., 4 : 4 + edge, start : start + edge] += 1.0
        texts.append(
            f"There is a {['small', 'large'][size]} mass on the {['left', 'right'][side]}. No effusion, 1.5 cm."
        )
    return torch.from_numpy(images), texts


@pytest.mark.parametrize("spatial", [2, 3])
def test_it_learns_size_and_side(tmp_path, spatial):
    images, texts = _toy(160, spatial, 1)
    model, vocabulary = train_captioner(
        images, texts, folder=tmp_path, steps=200, batch=16, learning_rate=2e-3, width=32, stages=3, layers=1, grid=4
    )
    held_out, truth = _toy(24, spatial, 2)
    said = caption(model, vocabulary, held_out)
    assert np.mean([a == b for a, b in zip(said, truth, strict=True)]) >= 0.9


def test_decoder_does_not_look_ahead():
    torch.manual_seed(0)
    model = TinyCaptioner(20, width=32, stages=2, grid=2).eval()
    images, words = torch.rand(1, 1, 16, 16), torch.randint(4, 20, (1, 6))
    changed = words.clone()
    changed[0, 4] = (words[0, 4] - 4 + 1) % 16 + 4
    a, b = model(images, words), model(images, changed)
    torch.testing.assert_close(a[:, :4], b[:, :4])
    assert not torch.allclose(a[:, 4:], b[:, 4:])


def test_vocabulary_round_trip():
    text = "No effusion (left), 1.5 cm. Well-defined mass."
    vocabulary = Vocabulary.of([text])
    assert vocabulary.decode(vocabulary.encode(text)) == text
    assert vocabulary.decode(vocabulary.encode("unseen mass")) == "<unknown> mass"


def test_wrong_counts_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="one text per image"):
        train_captioner(torch.zeros(2, 1, 16, 16), ["a"], folder=tmp_path)
