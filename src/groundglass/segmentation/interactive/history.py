"""The steps of a session: undone and redone to the bit, with the answers of few whole volumes in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from groundglass.segmentation.interactive.answer import Answer, Strokes
from groundglass.segmentation.interactive.prompt import Prompt

# A propagation through 600 slices is about 100 MB; so many are held, those nearest to the step in force.
WHOLE = 2
Answers = Mapping[int, Answer]


@dataclass(eq=False)
class Step:
    """A prompt, the strokes of every slice after it (shared with the steps before where nothing changed), the slice
    where it fell, and the answers that it made.

    A step that answered the volume `anew`, whatever was there before, can be asked for the same answers again: they are
    a function of what was drawn.
    """

    prompt: Prompt
    strokes: Mapping[int, Strokes]
    at: int
    made: Answers | None
    anew: Callable[[], Answers] | None = None


class History:
    """Steps in order; the first `done` of them are in force."""

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self.done = 0

    def push(self, step: Step) -> None:
        """Put a step in force. What was undone before can no longer be redone."""
        del self._steps[self.done :]
        self._steps.append(step)
        self.done += 1
        self._let_go()

    def undo(self) -> bool:
        """Take back the last step; False when there is none."""
        self.done = max(0, (before := self.done) - 1)
        return self.done < before

    def redo(self) -> bool:
        """Do again what was taken back; False when there is nothing."""
        self.done = min(len(self._steps), (before := self.done) + 1)
        return self.done > before

    @property
    def can_redo(self) -> bool:
        return self.done < len(self._steps)

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Those in force, in order."""
        return tuple(step.prompt for step in self._steps[: self.done])

    @property
    def last(self) -> Step | None:
        """The newest step in force."""
        return self._steps[self.done - 1] if self.done else None

    @property
    def strokes(self) -> Mapping[int, Strokes]:
        """What was drawn on each slice."""
        return self.last.strokes if self.last else {}

    @property
    def answers(self) -> dict[int, Answer]:
        """The answer of each slice that has one, in order of their steps."""
        found: dict[int, Answer] = {}
        for step in self._steps[self._base : self.done]:
            if step.made is None:
                assert step.anew is not None
                step.made = step.anew()
                self._let_go()
            found.update(step.made)
        return found

    @property
    def _base(self) -> int:
        """The newest step in force that answered the volume anew, else the first."""
        return next((k for k in reversed(range(self.done)) if self._steps[k].anew), 0)

    def _let_go(self) -> None:
        """Keep the answers of whole volumes of the step that counts and of those nearest to it."""
        base = self._base
        held = [k for k, step in enumerate(self._steps) if step.anew and step.made is not None]
        for k in sorted(held, key=lambda k: (k != base, abs(k - base)))[WHOLE:]:
            self._steps[k].made = None
