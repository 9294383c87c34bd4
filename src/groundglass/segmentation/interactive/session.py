"""An interactive session: prompts in, a mask out, each step undoable to the bit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core import (
    ConfigurationError,
    Evidence,
    Finding,
    Image,
    InputError,
    Location,
    Mask,
    Term,
    UnsupportedError,
)
from groundglass.segmentation.interactive.answer import Answer, Strokes, answer_slice
from groundglass.segmentation.interactive.engine import Engine
from groundglass.segmentation.interactive.history import History, Step
from groundglass.segmentation.interactive.plane_answer import PlaneEngine, answer_plane
from groundglass.segmentation.interactive.planes import Planes
from groundglass.segmentation.interactive.prompt import Prompt
from groundglass.segmentation.interactive.propagation import propagated
from groundglass.segmentation.interactive.volume_answer import answer_volume
from groundglass.segmentation.interactive.volume_engine import VolumeEngine

Point = Sequence[float]


class Session:
    """Prompts on an image, answered at once.

    `image` is a core Image (its channels are seen as one grey picture) or an array, (rows, columns) or a volume.
    `axis` is the array axis along which slices are counted, by default the time axis or the last one; a slice has
    the remaining two axes in array order, so that in a volume (i, j, k) with axis 2 a point (x, y) of slice k is the
    voxel [y, x, k], and in a flat image (rows, columns) it is [y, x]. Prompts may also be given on another axis'
    slices (`axis=` of the prompt): their voxels then fall on this session's slices; boxes may not.

    The mask is a function of `prompts` and their order alone: replaying them gives it bit for bit.
    Raises UnsupportedError for an image that has neither two nor three axes.
    """

    def __init__(
        self,
        image: Image | NDArray[Any],
        *,
        axis: int | None = None,
        engine: Engine | PlaneEngine | VolumeEngine | None = None,
    ) -> None:
        self.image = image if isinstance(image, Image) else Image.of(np.asarray(image))
        if len(self.image.shape) not in (2, 3):
            raise UnsupportedError(
                self.image.name, f"has {len(self.image.shape)} axes", "Give a flat image, a volume or a video."
            )
        self.planes = Planes(self.image, axis)
        self._engine = engine
        self._history = History()

    @property
    def axis(self) -> int | None:
        """The axis along which slices are counted; None in a flat image."""
        return self.planes.axis

    @property
    def engine(self) -> Engine | PlaneEngine | VolumeEngine:
        """Who answers; loaded at the first prompt."""
        if self._engine is None:
            from groundglass.segmentation.interactive.network import default_engine

            self._engine = default_engine()
        return self._engine

    def click(self, point: Point, positive: bool = True, slice: int | None = None, *, axis: int | None = None) -> None:
        """Say that (x, y) belongs to the structure, or does not."""
        self.apply(Prompt("click", _points([point]), positive, slice, axis))

    def scribble(
        self, stroke: ArrayLike, positive: bool = True, slice: int | None = None, *, axis: int | None = None
    ) -> None:
        """Draw a line: (n, 2) corners x, y of a polyline, or a boolean mask of the slice that holds the strokes."""
        drawn = np.asarray(stroke)
        if drawn.dtype != bool:
            self.apply(Prompt("scribble", _points(drawn), positive, slice, axis))
            return
        if drawn.shape != (wanted := self.planes.shape_of(axis)):
            raise InputError("scribble", f"is a mask {drawn.shape}, the slice is {wanted}", "Draw on the slice.")
        self.apply(Prompt("pixels", _points(np.argwhere(drawn)[:, ::-1]), positive, slice, axis))

    def box(self, corners: Sequence[float], slice: int | None = None) -> None:
        """Say that the structure lies within x0, y0, x1, y1 (pixels of the corners included)."""
        if len(corners) != 4:
            raise InputError("box", f"has {len(corners)} numbers", "Give x0, y0, x1, y1.")
        self.apply(Prompt("box", _points([corners[:2], corners[2:]]), True, slice))

    def propagate(self, progress: Callable[[float], None] = lambda _share: None) -> None:
        """Carry the answers of the prompted slices through the volume; `progress` hears the share done.

        Slices in between are answered from both sides, the others until the structure ends. Correct any slice
        afterwards. Raises ConfigurationError in a flat image or before a prompt.
        """
        self.apply(Prompt("propagate"), progress)

    def apply(self, prompt: Prompt, progress: Callable[[float], None] = lambda _share: None) -> None:
        """Take a prompt of any kind. An error leaves the session as it was.

        Raises InputError for a prompt wholly outside of the image, ConfigurationError for a slice that is missing.
        """
        is_carried = prompt.kind == "propagate"
        self._history.push(self._propagated(prompt, progress) if is_carried else self._answered(self._placed(prompt)))

    @classmethod
    def replay(cls, image: Image | NDArray[Any], prompts: Iterable[Prompt], **options: Any) -> Session:
        """A new session with these prompts given again."""
        session = cls(image, **options)
        for prompt in prompts:
            session.apply(prompt)
        return session

    def undo(self) -> bool:
        """Take back the last step; False when there is none."""
        return self._history.undo()

    def redo(self) -> bool:
        """Do again what was taken back; False when there is nothing."""
        return self._history.redo()

    def reset(self) -> None:
        """Forget every prompt; this cannot be undone."""
        self._history = History()

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """The steps that are in force, in order."""
        return self._history.prompts

    @property
    def revision(self) -> int:
        """How many steps are in force."""
        return self._history.done

    @property
    def can_redo(self) -> bool:
        return self._history.can_redo

    @property
    def current_slice(self) -> int | None:
        """The slice of the last prompt; None in a flat image and before the first."""
        last = self._history.last
        return last.at if last and self.planes.axis is not None else None

    @property
    def prompted_slices(self) -> tuple[int, ...]:
        """The slices that hold a prompt of their own, in order."""
        return tuple(sorted(self._history.strokes))

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(*spatial) on the image's grid, a new array on each call."""
        full = np.zeros(self.image.shape, dtype=bool)
        for index, answer in self._history.answers.items():
            self.planes.put(full, index, answer.mask)
        return full

    @property
    def voxel_count(self) -> int:
        """How many voxels the mask has; the mask itself is not built."""
        return sum(int(np.count_nonzero(answer.mask)) for answer in self._history.answers.values())

    def slice_mask(self, index: int | None = None) -> NDArray[np.bool_]:
        """(rows, columns): the mask of one slice, by default that of the last prompt."""
        answer = self._history.answers.get(self._index(index))
        return np.zeros(self.planes.shape, dtype=bool) if answer is None else answer.mask

    @property
    def probability(self) -> NDArray[np.float32]:
        """(rows, columns) in [0, 1] of the slice of the last prompt."""
        return self.slice_probability()

    def slice_probability(self, index: int | None = None) -> NDArray[np.float32]:
        """(rows, columns) in [0, 1] of one slice; zeros where nothing was asked."""
        answer = self._history.answers.get(self._index(index))
        return np.zeros(self.planes.shape, dtype=np.float32) if answer is None else answer.probability

    def finding(self, term: Term, id: str = "f1") -> Finding:
        """The mask as a finding. Raises EmptyMaskError (by its box) only when it is used as one."""
        cited = self.engine.citation
        mask = Mask.of(self.mask, self.image.affine)
        evidence = Evidence("model", cited.name, cited.version, f"{self.revision} prompts by a person")
        return Finding(id, term, where=Location(mask=mask, image=self.image.name), evidence=(evidence,))

    def _index(self, index: int | None) -> int:
        if self.planes.axis is None:
            return 0
        chosen = self.current_slice if index is None else index
        if chosen is None:
            raise ConfigurationError("slice", "is not given, and nothing was prompted yet", "Pass a slice number.")
        return self.planes.checked(chosen)

    def _placed(self, prompt: Prompt) -> Prompt:
        """The prompt with its slice and axis written out."""
        from dataclasses import replace

        if self.planes.axis is None:
            if prompt.slice not in (None, 0) or prompt.axis is not None:
                raise ConfigurationError(f"slice {prompt.slice}", "of a flat image", "Leave slice and axis out.")
            return replace(prompt, slice=None)
        axis = self.planes.axis if prompt.axis is None else prompt.axis
        if axis not in (0, 1, 2):
            raise ConfigurationError(f"axis {axis}", "is no axis of a volume", "Use 0, 1 or 2.")
        if axis != self.planes.axis and (prompt.kind == "box" or prompt.slice is None):
            raise ConfigurationError(
                f"prompt on axis {axis}", "is a box or names no slice", "Draw boxes on the session's own slices."
            )
        if axis != self.planes.axis:
            return replace(prompt, axis=axis)
        return replace(prompt, slice=self._index(prompt.slice), axis=axis)

    def _answered(self, prompt: Prompt) -> Step:
        touched = self.planes.pixels(prompt)
        if not touched:
            raise InputError(
                f"{prompt.kind} at {prompt.points[0]}",
                f"lies outside of the image {self.planes.shape_of(prompt.axis)}",
                "Give x, y within it.",
            )
        at = max(touched, key=lambda index: len(touched[index]))
        strokes = dict(self._history.strokes)
        for index, pixels in touched.items():
            strokes[index] = strokes.get(index, Strokes()).with_prompt(prompt, pixels, self.planes.shape)
        if isinstance(self.engine, VolumeEngine):
            prompts = (*self.prompts, prompt)
            again = partial(answer_volume, self.engine, self.image, self.planes, prompts, strokes)
            return Step(prompt, strokes, at, again(), again)
        before = self._history.answers
        made = {index: self._answered_slice(index, strokes[index], before.get(index)) for index in touched}
        return Step(prompt, strokes, at, made)

    def _answered_slice(self, index: int, strokes: Strokes, before: Answer | None) -> Answer:
        engine, plane = self.engine, self.planes.plane(index)
        assert not isinstance(engine, VolumeEngine)
        if isinstance(engine, PlaneEngine):
            return answer_plane(engine, plane, strokes)
        return answer_slice(engine, plane, strokes, before=before)

    def _propagated(self, prompt: Prompt, progress: Callable[[float], None]) -> Step:
        strokes, at = self._history.strokes, self.current_slice or 0
        if self.planes.axis is None:
            raise ConfigurationError(self.image.name, "is flat", "Propagate in a volume.")
        if not strokes:
            raise ConfigurationError("propagate", "comes before a prompt", "Click or draw on a slice first.")
        if isinstance(self.engine, VolumeEngine):
            # It has answered for the whole volume already.
            return Step(prompt, strokes, at, {})
        answers = self._history.answers
        drawn = {index: answers[index] for index in strokes}
        again = partial(propagated, self.engine, self.planes, strokes, drawn)
        return Step(prompt, strokes, at, again(progress), again)


def _points(points: ArrayLike) -> tuple[tuple[float, float], ...]:
    try:
        array = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    except (TypeError, ValueError) as error:
        raise InputError("points", "are not pairs of numbers", "Give x, y for each.") from error
    return tuple((float(x), float(y)) for x, y in array)
