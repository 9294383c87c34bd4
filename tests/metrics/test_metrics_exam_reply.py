"""What a reply chose and what value it stated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundglass.core import InputError
from groundglass.metrics.reasoning_exam import (
    DO_NOT_KNOW,
    NONE_OF_THE_ABOVE,
    Item,
    chosen_option,
    grade,
    lettered,
    majority,
    stated_sides,
    stated_values,
    value_is_right,
)

YES_NO = ("Yes", "No", DO_NOT_KNOW)


@pytest.mark.parametrize(
    ("reply", "choice"),
    [
        ("FINAL ANSWER: (a) Yes", 0),
        ("final answer: (B)", 1),
        ("FINAL ANSWER: b", 1),
        ("FINAL ANSWER: b) No", 1),
        ("FINAL ANSWER: No.", 1),
        ("The heart is wide; options (a) and (b) were weighed.\nFINAL ANSWER: (b) No", 1),
        ("FINAL ANSWER: (a) Yes\nThe ratio of (b) would be lower.", 0),
        ("I think the answer is (c).", 2),
        ("I don’t know", 2),
        ("I do not know.", 2),
        ("FINAL ANSWER: I don't know", 2),
        ("FINAL ANSWER: (a) Yes, (b) No", "several"),
        ("FINAL ANSWER: not (a)", "none"),
        ("Nothing to note here", "none"),
        ("", "none"),
        ("FINAL ANSWER: (z)", "none"),
        ("A large heart is seen", "none"),
    ],
)
def test_chosen_option(reply, choice):
    assert chosen_option(reply, YES_NO) == choice


def test_a_longer_option_takes_its_words_away_from_a_shorter_one():
    options = ("heart", "right heart border", NONE_OF_THE_ABOVE)
    assert chosen_option("FINAL ANSWER: right heart border", options) == 1
    assert chosen_option("FINAL ANSWER: the heart", options) == 0


@given(
    st.integers(0, 4),
    st.sampled_from(["FINAL ANSWER: {}", "Long talk (q).\nFINAL ANSWER: {}\nBecause.", "answer is {}"]),
)
def test_every_lettered_option_is_read_back(index, frame):
    options = ("1st image", "2nd image", "3rd image", "4th image", NONE_OF_THE_ABOVE)
    assert chosen_option(frame.format(lettered(options)[index]), options) == index


@pytest.mark.parametrize(
    ("reply", "values"),
    [
        ("VALUE: 0.52", (0.52,)),
        ("VALUE: -3.5", (-3.5,)),
        ("VALUE: −3.5", (-3.5,)),
        ("The deviation is -0.7 widths", (-0.7,)),
        ("2.5-3.0", ()),
        ("2.5 - 3.0", ()),
        ("2.5 – 3.0", ()),
        ("2.5—3.0", ()),
        ("from 2.5 to 3.0, VALUE: 2.7", (2.7,)),
        ("The range 2.5-3.0 fits, the value is 2.7", (2.7,)),
        ("in [0.5, 0.6]: 0.55", (0.55,)),
        ("between 0.5 and 0.6, so 0.55", (0.55,)),
        ("-2.5 - -1.5 is the range; -2.0", (-2.0,)),
        ("VALUE: 0.52 FINAL ANSWER: (a) 0.50 to 0.55", (0.52,)),
        ("VALUE: 70° at T4", (70.0,)),
        ("0.52 and again 0.52", (0.52,)),
        ("0.52 or 0.61", (0.52, 0.61)),
        ("(a) Yes", ()),
    ],
)
def test_stated_values(reply, values):
    assert stated_values(reply) == values


@pytest.mark.parametrize(
    ("reply", "sides"),
    [
        ("VALUE: Right - 0.31, Left - 0.22", (0.31, 0.22)),
        ("VALUE: Left - 0.22, Right - 0.31", (0.31, 0.22)),
        ("0.31 and 0.22", (0.31, 0.22)),
        ("VALUE: 0.3", None),
        ("VALUE: Right 0.1-0.2, Left 0.2-0.3", None),
    ],
)
def test_stated_sides(reply, sides):
    assert stated_sides(reply) == sides


def final(reference, task="cardiomegaly") -> Item:
    return Item(task, "c1", "final", "?", ("Yes", "No"), 0, reference=reference)


def test_value_has_to_lie_in_the_reference_range():
    item = final(((0.5, 0.55),))
    assert value_is_right(item, "VALUE: 0.52")
    assert value_is_right(item, "VALUE: 0.55")
    assert not value_is_right(item, "VALUE: 0.56")
    assert not value_is_right(item, "0.52 or 0.54")
    assert not value_is_right(item, "0.50-0.55")


def test_projection_with_one_side_out_of_range_is_wrong():
    item = final(((0.3, 0.4), (0.1, 0.2)), "projection")
    assert value_is_right(item, "VALUE: Right - 0.31, Left - 0.15")
    assert not value_is_right(item, "VALUE: Right - 0.31, Left - 0.25")
    assert not value_is_right(item, "VALUE: Right - 0.21, Left - 0.15")


def test_grades():
    item = Item("cardiomegaly", "c1", "criteria", "?", ("one", "two", NONE_OF_THE_ABOVE), 1)
    assert [grade(item, r) for r in ("(b)", "(a)", "(c)", "nonsense", "I don't know")] == [
        "true",
        "false",
        "n/a",
        "false",
        "idk",
    ]
    custom = Item("cardiomegaly", "c1", "custom_criteria", "?", ("Yes", DO_NOT_KNOW), 0)
    assert grade(custom, "mumble") == "idk"
    assert grade(item, "mumble", judge=lambda _item, _reply: "true") == "true"
    assert grade(item, "(a)", judge=lambda _item, _reply: "true") == "false"


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        (["true"], "true"),
        (["true", "true", "false"], "true"),
        (["true", "false"], "false"),
        (["true", "idk"], "idk"),
        (["true", "false", "idk"], "idk"),
        (["n/a", "true"], "false"),
    ],
)
def test_majority(verdicts, verdict):
    assert majority(verdicts) == verdict


def test_items_survive_their_exchange_form():
    item = Item("projection", "c1", "final", "?", ("Yes", "No"), 1, ("a.png",), "review", 2, ((0.1, 0.2), (0.3, 0.4)))
    body = item.to_dict()
    assert {"question", "options", "answer", "img_path", "stage"} <= set(body)
    assert body["answer"] == "(b) No"
    assert Item.from_dict(body) == item
    with pytest.raises(InputError):
        Item.from_dict({**body, "answer": "(q) Perhaps"})
    with pytest.raises(InputError):
        Item("t", "c", "init", "?", ("Yes", "Yes"), 0)
