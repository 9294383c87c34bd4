"""Whether statements entail or contradict one, by concept, polarity, side, place, grade, course and size.

What the premises leave open stays open: "left effusion" neither entails nor contradicts a right one, "effusion" not a
small one. A narrower present finding entails the broader, a broader absent one the narrower. Both sides may be
entailed by two premises, one each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from groundglass.metrics.reports.statement import BOTH_SIDES, Statement, is_kind_of, is_within

SIZE_TOLERANCE = 0.05
"""Relative difference up to which two measurements are the same; a length may always differ by half a millimetre."""
_LEAST_LENGTH = 0.5

Test = Callable[[Statement, Statement], bool]


def supporting(hypothesis: Statement, premises: Sequence[Statement]) -> tuple[int, ...]:
    """Indices of the premises that entail the hypothesis, each alone or else two together; empty when none do."""
    test = _shows if hypothesis.present else _rules_out
    alone = tuple(i for i, premise in enumerate(premises) if test(premise, hypothesis))
    if alone:
        return alone
    # Both sides, one premise for each. A denial that names no side denies both.
    if hypothesis.sides == BOTH_SIDES or (not hypothesis.present and not hypothesis.sides):
        found = [_first(premises, hypothesis.on(side), test) for side in sorted(BOTH_SIDES)]
        return tuple(sorted({i for i in found if i is not None})) if None not in found else ()
    return ()


def contradicting(hypothesis: Statement, premises: Sequence[Statement]) -> tuple[int, ...]:
    """Indices of the premises that cannot be true together with the hypothesis."""
    return tuple(i for i, premise in enumerate(premises) if contradicts(premise, hypothesis))


def contradicts(premise: Statement, hypothesis: Statement) -> bool:
    """Opposite polarity, another grade, course or size of the same thing in the same place. Symmetric."""
    if premise.present != hypothesis.present:
        shown, denied = (premise, hypothesis) if premise.present else (hypothesis, premise)
        return shown.certain and denied.certain and _denies(denied, shown)
    if not premise.present or not (
        is_kind_of(premise.what, hypothesis.what) or is_kind_of(hypothesis.what, premise.what)
    ):
        return False
    return may_be_same_place(premise, hypothesis) and (
        grades_differ(premise, hypothesis)
        or courses_differ(premise, hypothesis)
        or sizes_differ(premise, hypothesis)
        or tips_differ(premise, hypothesis)
    )


def may_be_same_place(a: Statement, b: Statement) -> bool:
    """Whether neither side nor place sets two statements apart."""
    sides = not a.sides or not b.sides or bool(a.sides & b.sides)
    return sides and (a.place is None or b.place is None or is_within(a.place, b.place) or is_within(b.place, a.place))


def grades_differ(a: Statement, b: Statement) -> bool:
    """Whether both name a grade and no grade fits both."""
    return bool(a.grades) and bool(b.grades) and not a.grades & b.grades


def courses_differ(a: Statement, b: Statement) -> bool:
    """Whether both name a course since the prior, and not the same."""
    return a.course is not None and b.course is not None and a.course != b.course


def tips_differ(a: Statement, b: Statement) -> bool:
    """Whether both say where a device ends, and not the same."""
    return a.tip is not None and b.tip is not None and a.tip != b.tip


def sizes_differ(a: Statement, b: Statement) -> bool:
    """Whether both give a size of one dimension and none agrees."""
    shared = {dimension for dimension, _ in a.sizes} & {dimension for dimension, _ in b.sizes}
    return any(not any(_same_size(x, y) for x in a.sizes for y in b.sizes if x[0] == dimension) for dimension in shared)


def _first(premises: Sequence[Statement], hypothesis: Statement, test: Test) -> int | None:
    return next((i for i, premise in enumerate(premises) if test(premise, hypothesis)), None)


def _shows(premise: Statement, hypothesis: Statement) -> bool:
    """Whether one premise entails a present finding in every detail that the hypothesis gives."""
    return (
        premise.present
        and (premise.certain or not hypothesis.certain)
        and is_kind_of(premise.what, hypothesis.what)
        and hypothesis.sides <= premise.sides
        and is_within(premise.place, hypothesis.place)
        and (not hypothesis.grades or (bool(premise.grades) and premise.grades <= hypothesis.grades))
        and hypothesis.course in (None, premise.course)
        and hypothesis.traits <= premise.traits
        and hypothesis.tip in (None, premise.tip)
        and all(any(_same_size(size, other) for other in premise.sizes) for size in hypothesis.sizes)
    )


def _rules_out(premise: Statement, hypothesis: Statement) -> bool:
    """Whether one absent premise entails an absent hypothesis."""
    return (
        not premise.present
        and premise.certain
        and hypothesis.course in (None, "new", premise.course)
        and _denies(premise, replace(hypothesis, present=True))
        and (not premise.sides or (bool(hypothesis.sides) and hypothesis.sides <= premise.sides))
        and (premise.place is None or is_within(hypothesis.place, premise.place))
    )


def _denies(denied: Statement, shown: Statement) -> bool:
    """Whether what is shown falls under what is denied: "no large effusion" denies large ones only."""
    return (
        is_kind_of(shown.what, denied.what)
        and (not denied.sides or not shown.sides or bool(denied.sides & shown.sides))
        and (denied.place is None or shown.place is None or is_within(shown.place, denied.place))
        and (not denied.grades or (bool(shown.grades) and shown.grades <= denied.grades))
        and (denied.course in (None, "resolved") or denied.course == shown.course)
        and denied.traits <= shown.traits
    )


def _same_size(a: tuple[str, float], b: tuple[str, float]) -> bool:
    if a[0] != b[0]:
        return False
    least = _LEAST_LENGTH if a[0] == "length" else 0.0
    return abs(a[1] - b[1]) <= max(least, SIZE_TOLERANCE * max(abs(a[1]), abs(b[1])))
