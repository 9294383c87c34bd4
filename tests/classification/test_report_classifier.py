"""Trained encoders of reports: thresholds, windows of long reports, the split by patients, one that learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from groundglass.classification import (
    f1_thresholds,
    load_report_classifier,
    new_report_classifier,
    tiny_bert,
    train_report_classifier,
)
from groundglass.core import ConfigurationError, InputError

WORDS = {"胸水": 0, "気胸": 1, "結節": 2}
ENDS, SIDES = ("あり", "なし"), ("", "右側に", "左側に")
TEXTS = [
    f"{side}{a}{end}。{place}{b}{other}。"
    for a in WORDS for b in WORDS if a != b
    for end in ENDS for other in ENDS for side in SIDES for place in SIDES
]  # fmt: skip
TRUTH = np.array([[f"{word}あり" in text for word in WORDS] for text in TEXTS])


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("encoder"), TEXTS, width=32, layers=3, words=0, window=6)


def test_thresholds_are_those_of_the_best_f1() -> None:
    rng = np.random.default_rng(0)
    truth, scores = rng.random((60, 5)) < 0.3, np.round(rng.random((60, 5)), 2)
    truth[:, 4] = False
    found = f1_thresholds(truth, scores)
    assert found[4] == 0.5

    def f1(column: int, threshold: float) -> float:
        said = scores[:, column] >= threshold
        return 2 * (said & truth[:, column]).sum() / (said.sum() + truth[:, column].sum())

    for column in range(4):
        best = max(f1(column, t) for t in np.unique(scores[:, column]))
        assert f1(column, found[column]) == pytest.approx(best)


def test_pieces_of_long_reports(encoder: Path) -> None:
    text = "胸水あり。" * 30
    held = new_report_classifier(encoder, list(WORDS), limit=40)
    whole = held.tokenizer(text, add_special_tokens=False)["input_ids"]
    (cut,) = held.pieces(text)
    assert cut[1:-1] == whole[:38]
    held.long_reports = "windows"
    first, last = held.pieces(text)
    assert (first[1:-1], last[1:-1]) == (whole[:38], whole[-38:])
    assert len(held.pieces("胸水あり。")) == 1
    held.long_reports = "sentences"
    assert len(held.pieces(text)) == 30
    assert len(held.pieces("")) == 1


def test_a_report_in_pieces_has_the_largest_probability_of_them(encoder: Path) -> None:
    held = new_report_classifier(encoder, list(WORDS), long_reports="sentences")
    parts = held.probabilities(["胸水あり。", "気胸なし。"])
    np.testing.assert_allclose(held.probabilities(["胸水あり。気胸なし。"])[0], parts.max(axis=0), atol=1e-6)


def test_it_learns_negation_keeps_its_best_epoch_and_its_folder(encoder: Path, tmp_path: Path) -> None:
    held = new_report_classifier(encoder, list(WORDS))
    train_report_classifier(held, TEXTS, TRUTH, folder=tmp_path / "run", epochs=14, batch=8, learning_rate=3e-3, seed=1)
    assert (held.predict(TEXTS) == TRUTH).mean() > 0.95
    held.save(tmp_path / "saved")
    again = load_report_classifier(tmp_path / "saved")
    np.testing.assert_allclose(again.probabilities(TEXTS), held.probabilities(TEXTS), atol=1e-6)
    np.testing.assert_array_equal(again.thresholds, held.thresholds)


def test_patients_stay_on_one_side(encoder: Path, tmp_path: Path) -> None:
    held = new_report_classifier(encoder, list(WORDS))
    with pytest.raises(InputError, match="cannot be split"):
        train_report_classifier(held, TEXTS, TRUTH, folder=tmp_path, groups=["one"] * len(TEXTS), epochs=1)


def test_an_encoder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no encoder"):
        new_report_classifier(tmp_path, ["a"])
    with pytest.raises(InputError, match="holds no"):
        load_report_classifier(tmp_path)
