"""What a scene graph is made of: places with the phrases that speak of them, boxes, relations to the exam before."""

from __future__ import annotations

from dataclasses import dataclass

from groundglass.core import Box
from groundglass.core.errors import InputError

CUES = ("comparison", "temporal", "severity", "texture", "certainty")


@dataclass(frozen=True, slots=True)
class Exam:
    """Whose and which image. `order` counts the patient's studies in time, `date` is ISO (YYYY-MM-DD[THH:MM])."""

    image_id: str
    study_id: str
    patient_id: str = ""
    order: int = 1
    date: str = ""
    viewpoint: str = ""
    gender: str = ""
    age_decile: str = ""


@dataclass(frozen=True, slots=True)
class PlacePhrase:
    """A sentence in one place: its attributes and cues ("category|yes|value"), sorted."""

    id: str
    text: str
    section: str
    attributes: tuple[str, ...]
    comparison: tuple[str, ...] = ()
    temporal: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    texture: tuple[str, ...] = ()
    certainty: tuple[str, ...] = ()

    def cues(self, kind: str) -> tuple[str, ...]:
        """The cues of one of CUES."""
        held: tuple[str, ...] = getattr(self, kind)
        return held


@dataclass(frozen=True, slots=True)
class PlaceNode:
    """A place and the sentences that speak of it, in the order of the report."""

    place: str
    phrases: tuple[PlacePhrase, ...]


@dataclass(frozen=True, slots=True)
class SceneObject:
    """A place in the image. `box` is in the image's own pixels (rows, columns), `shape` the image's; None unboxed."""

    place: str
    box: Box | None = None
    shape: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """A place compared with the same place of the exam before: improved, worsened or no change."""

    place: str
    changes: tuple[str, ...]
    phrase_id: str
    phrase: str
    attributes: tuple[str, ...]
    subject_id: str
    object_id: str


@dataclass(frozen=True, slots=True)
class SceneGraph:
    """One exam's graph; nodes and objects in the order of the place tree."""

    exam: Exam
    nodes: tuple[PlaceNode, ...] = ()
    objects: tuple[SceneObject, ...] = ()
    relations: tuple[Relation, ...] = ()
    reason: str = ""

    def node(self, place: str) -> PlaceNode | None:
        """What is said of a place; None is not normal, only unsaid."""
        return next((node for node in self.nodes if node.place == place), None)

    def object_id(self, place: str) -> str:
        """The id of a place in this image."""
        return f"{self.exam.image_id}_{place}"

    @property
    def places(self) -> frozenset[str]:
        """Places that are boxed or spoken of."""
        return frozenset(node.place for node in self.nodes) | frozenset(held.place for held in self.objects)


def phrase_number(phrase_id: str) -> int:
    """The sentence's number of a phrase id "study|number". Raises InputError when it has none."""
    number = phrase_id.rpartition("|")[2]
    if not number.isdigit():
        raise InputError(phrase_id, "is not a phrase id", "Expected study|number.")
    return int(number)
