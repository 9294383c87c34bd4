"""BE and rBE: closed forms, published reference, undefined kinds (card 35, check 4)."""

from __future__ import annotations

import math

import pytest

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.classification import RobustnessReference, alexnet_reference, robustness


@pytest.mark.parametrize("name", ["bloodmnist", "chestmnist", "pneumoniamnist", "retinamnist"])
def test_the_reference_itself_scores_one(name: str) -> None:
    reference = alexnet_reference(name)
    own = robustness({kind: [error] * 5 for kind, error in reference.kinds.items()}, reference.clean, reference)
    assert own.be == pytest.approx(1.0, abs=1e-12)
    assert own.rbe == pytest.approx(1.0, abs=1e-12)
    assert own.undefined == ()


def test_published_clean_errors() -> None:
    wanted = {"bloodmnist": 0.0184, "breastmnist": 0.1454, "octmnist": 0.2020, "retinamnist": 0.5582}
    for name, clean in wanted.items():
        assert alexnet_reference(name).clean == pytest.approx(clean, abs=5e-5)


def test_by_hand() -> None:
    reference = RobustnessReference("r", 0.1, {"a": 0.2, "b": 0.5, "c": 0.1})
    got = robustness({"a": [0.1, 0.2], "b": [0.4, 0.4], "c": [0.3, 0.1]}, 0.0, reference)
    assert got.be == pytest.approx((0.75 + 0.8 + 2.0) / 3)
    assert got.rbe == pytest.approx((0.15 / 0.1 + 0.4 / 0.4) / 2)
    assert got.undefined == ("c",)
    assert got.clean == 0.0
    assert math.isnan(robustness({"c": [0.2]}, 0.1, reference).rbe)


def test_bad_input_is_refused() -> None:
    reference = RobustnessReference("r", 0.1, {"a": 0.2})
    with pytest.raises(InputError, match="between 0 and 1"):
        robustness({"a": [1.2]}, 0.1, reference)
    with pytest.raises(ConfigurationError, match="lacks b"):
        robustness({"b": [0.2]}, 0.1, reference)
    with pytest.raises(ConfigurationError, match="no published reference"):
        alexnet_reference("imagenet")
