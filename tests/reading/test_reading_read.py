"""Which parser is asked, what happens to the rest, and how findings are numbered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from groundglass.core import Finding, Image, InputError, Location, Reading, Study, ontology
from groundglass.reading import Request, read_findings, recognise_study


class Stub:
    """A parser that claims by name and says what it is told to."""

    def __init__(self, name: str, claims: str, *findings: Finding, error: Exception | None = None) -> None:
        self.name, self.wanted, self.findings, self.error = name, claims, findings, error

    def claims(self, image: Image) -> bool:
        return self.wanted in image.name

    def read(self, images: Sequence[Image], request: Request) -> Reading:
        if self.error:
            raise self.error
        return Reading(self.findings)


def image(name: str, value: object = None) -> Image:
    array = np.arange(64.0).reshape(8, 8) if value is None else np.full((8, 8), value)
    return Image.of(array, name=name)


def finding(identity: str, part_of: str | None = None, term: str = "lung") -> Finding:
    return Finding(identity, ontology()[term], where=Location(anatomy=ontology()[term]), part_of=part_of)


def request(*images: Image, only: tuple[str, ...] = ()) -> Request:
    return Request(Study(images), only=only)


def test_ids_are_unique_and_part_of_is_led_along() -> None:
    parsers = [Stub("a", "chest", finding("1"), finding("2", "1")), Stub("b", "chest", finding("1"), finding("2", "1"))]
    found = read_findings(request(image("chest")), chosen=parsers).findings
    assert [f.id for f in found] == ["f1", "f2", "f3", "f4"]
    assert [f.part_of for f in found] == [None, "f1", None, "f3"]


def test_what_nobody_claims_is_described_and_no_finding_is_made_up() -> None:
    reading = read_findings(request(image("chest"), image("knee")), chosen=[Stub("a", "chest", finding("1"))])
    assert len(reading.findings) == 1
    assert any("knee" in line and "no parser covers" in line for line in reading.not_assessed)
    assert not any("chest" in line for line in reading.not_assessed)


def test_a_parser_that_fails_leaves_the_others_their_turn() -> None:
    broken = Stub("broken", "chest", error=InputError("chest", "is odd", "Look."))
    reading = read_findings(request(image("chest")), chosen=[broken, Stub("b", "chest", finding("1"))])
    assert len(reading.findings) == 1
    assert any("broken was not read: chest: is odd" in w for w in reading.warnings)


@pytest.mark.parametrize("value", [np.nan, 7.0])
def test_pixels_without_a_picture_reach_no_parser(value: float) -> None:
    reading = read_findings(request(image("chest", value)), chosen=[Stub("a", "chest", finding("1"))])
    assert reading.findings == ()
    assert any("chest" in w for w in reading.warnings)


def test_only_keeps_a_term_and_what_is_below_it() -> None:
    parsers = [Stub("a", "chest", finding("1"), finding("2", term="heart"))]
    found = read_findings(request(image("chest"), only=("lung",)), chosen=parsers).findings
    assert [f.what.name for f in found] == ["lung"]


def test_a_parser_that_answers_nothing_does_not_take_the_image() -> None:
    reading = read_findings(request(image("knee")), chosen=[Stub("a", "knee")])
    assert any("knee" in line and "no parser covers" in line for line in reading.not_assessed)


def volume(values: np.ndarray, modality: str = "OT") -> Study:
    return Study((Image.of(values.astype(np.float32), np.eye(4), name="volume", modality=modality),))


def test_an_undeclared_volume_in_hounsfield_units_is_ct_and_the_report_says_so() -> None:
    rng = np.random.default_rng(0)
    values = np.full((30, 30, 30), -1000.0)
    values[8:22, 8:22, 8:22] = rng.normal(40, 20, (14, 14, 14))
    known = recognise_study(volume(values)).images[0]
    assert known.modality == "CT"
    assert any("read as CT" in warning for warning in known.warnings)
    assert recognise_study(volume(values, modality="MR")).images[0].modality == "MR"


@pytest.mark.parametrize("kind", ["brain-only MR", "normalised MR", "labels"])
def test_other_undeclared_volumes_stay_undeclared(kind: str) -> None:
    rng = np.random.default_rng(0)
    values = np.zeros((30, 30, 30))
    inside = rng.normal(300, 90, (14, 14, 14)) if kind != "labels" else rng.integers(1, 5, (14, 14, 14))
    values[8:22, 8:22, 8:22] = inside
    if kind == "normalised MR":
        values = (values - values.mean()) / values.std()
    assert recognise_study(volume(values)).images[0].modality == "OT"
