"""Result codes: every code through every paraphrase and back; schema versions; reader's edits."""

from itertools import product

import numpy as np
import pytest

from groundglass.core import Image, Reading, Study, ontology
from groundglass.core.errors import InputError
from groundglass.report import compose, shipped_templates
from groundglass.report.result_code import (
    BANK,
    CHEST,
    CHEST_BY_SEGMENT,
    Bit,
    ResultCode,
    code_of,
    findings_of,
    round_trips,
    sentences_of,
)

STUDY = Study((Image.of(np.zeros((8, 8), np.uint8), modality="DX"),))


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_code_of_three_bits_through_every_paraphrase(language):
    found = round_trips(CHEST, language=language)
    assert found.right == found.total
    counts = [sum(len(p) for p in shipped_templates()[b.term].sentences[language].values()) for b in CHEST.bits]
    unasked = [len(shipped_templates()[b.term].sentences[language]["not assessed"]) for b in CHEST.bits]
    assert found.total == np.prod(np.subtract(counts, unasked))


def test_every_code_of_nine_bits_round_trips():
    found = round_trips(CHEST_BY_SEGMENT, states="01", paraphrases=1)
    assert (found.right, found.total) == (512, 512)


def test_whole_reports_of_bank_codes_are_normal_only_when_all_is_zero():
    for states in product("01?", repeat=5):
        code = ResultCode("".join(states), 1)
        report = compose(Reading(findings_of(code, BANK)), STUDY, language="id")
        said = [s.text for s in report.section("findings").sentences]
        assert code_of(said, BANK, language="id") == code
        normal = shipped_templates().say("normal", language="id")
        assert (normal in [s.text for s in report.section("impression").sentences]) == (set(states) == {"0"})


def test_old_codes_stay_readable_and_new_questions_are_open():
    newer = CHEST.with_bit(Bit("pneumothorax"))
    assert (newer.version, len(newer.bits)) == (2, 4)
    old = ResultCode.read("1:010", newer)
    assert str(old.under(newer)) == "2:010?"
    assert str(ResultCode.read("2:0101", newer).edited(3, "0")) == "2:0100"
    assert sentences_of(old.under(newer), newer)[3] == "Pneumothorax is uncertain."
    assert findings_of(old, newer, scores={Bit("cardiomegaly"): 0.1})[0].score == 0.1
    assert [f.what for f in findings_of(old, newer)] == [ontology()[b.term] for b in CHEST.bits]


@pytest.mark.parametrize("text", ["2:0101", "010", "1:01", "1:01x", "0:010", "", "1:0101"])
def test_codes_that_do_not_fit_are_refused(text):
    with pytest.raises(InputError):
        ResultCode.read(text, CHEST)


def test_contradicting_and_foreign_sentences_are_refused():
    with pytest.raises(InputError, match="contradicts"):
        code_of(["There is consolidation.", "The lungs are free of consolidation."], CHEST)
    with pytest.raises(InputError, match="no bit"):
        code_of(["The lungs are fine."], CHEST)
    with pytest.raises(InputError):
        CHEST.with_bit(Bit("cardiomegaly"))
    with pytest.raises(InputError):
        ResultCode("010", 1).edited(3, "1")
