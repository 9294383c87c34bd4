"""Operating points against closed forms and sklearn; segments; a bank that learns, fails softly and abstains."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve

from groundglass.classification import (
    Bank,
    Expert,
    Labelled,
    Platt,
    Task,
    answer,
    backbone,
    crops,
    fit_platt,
    lung_box,
    segment_box,
    train_expert,
    youden_threshold,
)
from groundglass.core import Box
from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.classification import auroc


@pytest.mark.parametrize("seed", range(4))
def test_youden_reaches_sklearns_best_point(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, 150)
    scores = np.round(rng.normal(labels, 1.0), 1)
    false, true, _ = roc_curve(labels, scores)
    said = scores >= youden_threshold(labels, scores)
    index = said[labels == 1].mean() - said[labels == 0].mean()
    assert index == pytest.approx((true - false).max())


def test_youden_lies_between_the_classes():
    assert youden_threshold([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9]) == pytest.approx(0.4)
    with pytest.raises(InputError):
        youden_threshold([1, 1], [0.1, 0.2])


def test_platt_agrees_with_logistic_regression_and_keeps_the_order():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 4000)
    logits = rng.normal(3 * labels - 1, 2.0)
    found = fit_platt(labels, logits)
    peer = LogisticRegression(C=1e6).fit(logits[:, None], labels)
    assert found.slope == pytest.approx(peer.coef_[0, 0], rel=0.02)
    assert found.offset == pytest.approx(peer.intercept_[0], abs=0.02)
    assert (np.diff(found(np.sort(logits))) >= 0).all()
    assert np.isfinite(Platt(1, 0)([-1e4, 1e4])).all()
    reversed_order = fit_platt(1 - labels, logits)
    assert reversed_order.slope > 0


def test_answers_have_a_band_of_silence():
    assert [answer(p, 0.5, band=0.1) for p in (0.39, 0.41, 0.5, 0.59, 0.61, float("nan"))] == [
        "0",
        "?",
        "?",
        "?",
        "1",
        "?",
    ]
    assert answer(0.5, 0.5) == "1"


def test_segments_are_thirds_of_the_lungs_not_of_the_film():
    lungs = np.zeros((100, 80), bool)
    lungs[40:70, 20:60] = True
    box = lung_box([lungs])
    assert box == Box((40, 20), (70, 60))
    assert segment_box((100, 80), "upper", box) == Box((40, 18), (50, 62))
    assert segment_box((100, 80), "middle", box) == Box((50, 18), (60, 62))
    assert segment_box((100, 80), "lower", box) == Box((60, 18), (74, 62))
    assert segment_box((90, 80), "middle", None) == Box((30, 0), (60, 80))
    assert segment_box((90, 80), "whole", box) == Box((0, 0), (90, 80))
    assert lung_box([np.zeros((4, 4), bool)]) is None
    with pytest.raises(InputError):
        segment_box((90, 80), "left", None)


def _films(count, seed):
    """Noise; "bright": a spot in the upper third; "dark": one in the lower third. Independent of each other."""
    rng = np.random.default_rng(seed)
    films = rng.normal(0.5, 0.05, (count, 48, 48)).astype(np.float32)
    bright, dark = rng.random(count) < 0.4, rng.random(count) < 0.4
    for n in range(count):
        if bright[n]:
            c = rng.integers(4, 36)
            films[n, 4:10, c : c + 6] += 0.3
        if dark[n]:
            c = rng.integers(4, 36)
            films[n, 38:44, c : c + 6] -= 0.3
    return Labelled(films, [None] * count, {("bright", "upper"): bright, ("dark", "lower"): dark})


def test_an_expert_learns_its_segment_and_a_failing_one_says_so(tmp_path):
    training, validation, test = _films(160, 1), _films(80, 2), _films(80, 3)
    expert = train_expert(Task("bright", ("upper",)), training, validation, folder=tmp_path, steps=60, batch=16)
    bank = Bank((expert, Expert(Task("dark", ("lower",)), _Broken(), Platt(), 0.5)), band=0.0)
    scores = Bank((expert,)).probabilities(test.films, test.lungs)["bright", "upper"]
    assert auroc(test.truth["bright", "upper"], scores).value > 0.95
    first, second = bank.read(test.films[0], None)
    assert first.probability == pytest.approx(scores[0], abs=1e-5)
    assert first.state == ("1" if scores[0] >= expert.threshold else "0")
    assert (second.state, second.probability) == ("?", None)


def test_missing_negatives_are_refused(tmp_path):
    films = _films(30, 1)
    only = Labelled(films.films, films.lungs, {("bright", "upper"): films.truth["bright", "upper"]})
    with pytest.raises(InputError, match="other findings"):
        train_expert(Task("bright", ("upper",)), only, only, folder=tmp_path, steps=1)


class _Broken(torch.nn.Module):
    def forward(self, images):
        raise RuntimeError("out of memory")


@pytest.mark.parametrize("name", ["small", "resnet18", "mobilenet", "densenet121"])
def test_backbones_take_one_channel(name):
    network = backbone(name, outputs=3).eval()
    with torch.no_grad():
        assert network(torch.rand(2, 1, 64, 128)).shape == (2, 3)


def test_unknown_backbone_is_a_typed_error():
    with pytest.raises(ConfigurationError):
        backbone("vgg")


def test_crops_are_standardised_over_the_film():
    films = np.random.default_rng(0).random((2, 60, 60)).astype(np.float32)
    assert crops(films, [None, None], "upper").shape == (2, 1, 64, 128)
    torch.testing.assert_close(
        crops(films * 3 + 1, [None] * 2, "whole"), crops(films, [None] * 2, "whole"), atol=1e-3, rtol=1e-3
    )
