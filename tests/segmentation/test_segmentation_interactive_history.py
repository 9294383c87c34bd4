"""Undo and redo over many propagations: the same bits, with the answers of two volumes in memory at most."""

from __future__ import annotations

import numpy as np

from groundglass.core import ModelCitation
from groundglass.segmentation.interactive import ClassicalEngine, Session, View
from groundglass.segmentation.interactive.history import WHOLE


class Counted:
    """The classical engine, and how often it was asked."""

    citation = ModelCitation("counted", "1")

    def __init__(self) -> None:
        self.asked = 0

    def logits(self, view: View) -> np.ndarray:
        self.asked += 1
        return ClassicalEngine().logits(view)


def cylinder(slices: int = 7) -> np.ndarray:
    rows, columns = np.indices((32, 32)) - 16
    flat = (np.hypot(rows, columns) < 9).astype(np.float32)
    return flat[..., None] + np.random.default_rng(0).normal(0, 0.05, (32, 32, slices)).astype(np.float32)


def held(session: Session) -> int:
    """Volumes whose answers are in memory."""
    return sum(step.anew is not None and step.made is not None for step in session._history._steps)


def test_every_step_comes_back_to_the_bit_with_few_volumes_held() -> None:
    engine = Counted()
    session = Session(cylinder(), engine=engine)
    seen: list[tuple[np.ndarray, np.ndarray]] = []

    def note() -> None:
        seen.append((session.mask, session.slice_probability(1)))

    note()
    for index, point, inside in ((3, (16, 16), True), (1, (16, 20), True), (5, (2, 2), False), (0, (16, 10), True)):
        session.click(point, inside, index)
        note()
        session.propagate()
        note()
    assert len({mask.tobytes() for mask, _ in seen}) > 4
    assert held(session) == WHOLE < 4
    for back in (range(len(seen) - 2, -1, -1), range(1, len(seen))):
        for step in back:
            assert session.undo() if back.step < 0 else session.redo()
            mask, probability = seen[step]
            assert np.array_equal(session.mask, mask), step
            assert np.array_equal(session.slice_probability(1) if step else probability, probability), step
            assert held(session) <= WHOLE
    assert not session.redo()


def test_the_last_propagation_is_undone_and_redone_without_asking_again() -> None:
    engine = Counted()
    session = Session(cylinder(), engine=engine)
    for index in (3, 1, 5):
        session.click((16, 16), slice=index)
        session.propagate()
    mask, asked = session.mask, engine.asked
    session.undo(), session.undo()
    assert not np.array_equal(session.mask, np.zeros_like(mask))
    session.redo(), session.redo()
    assert np.array_equal(session.mask, mask) and engine.asked == asked


def test_a_correction_after_undo_sees_the_answer_before_it() -> None:
    plain, undone = (Session(cylinder(), engine=ClassicalEngine()) for _ in range(2))
    for session in (plain, undone):
        session.click((16, 16), slice=3)
        session.propagate()
    for index in (1, 5, 0):
        undone.click((16, 16), slice=index)
        undone.propagate()
    while undone.revision > 2:
        undone.undo()
    for session in (plain, undone):
        session.click((16, 24), False, 4)
    assert np.array_equal(plain.mask, undone.mask)
    assert not undone.can_redo
