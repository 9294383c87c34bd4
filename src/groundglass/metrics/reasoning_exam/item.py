"""One question of a step-by-step exam, and the order in which the stages are asked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from groundglass.core import InputError

Path = Literal["reasoning", "guidance", "review"]
Stage = Literal["init", "criteria", "custom_criteria", "bodypart", "measurement", "final"]

# A stage is asked when the one before it was answered rightly; `init` lets everyone pass but "I don't know".
STAGES: tuple[Stage, ...] = ("init", "criteria", "custom_criteria", "bodypart", "measurement", "final")

# What conquering a stage counts. The first answer counts 0, right or wrong; the custom rule is only agreed to.
STAGE_INDEX: dict[Path, dict[Stage, int]] = {
    "reasoning": {"criteria": 1, "bodypart": 2, "measurement": 3, "final": 4},
    "guidance": {"bodypart": 1, "measurement": 2, "final": 3},
    "review": {"criteria": 1, "bodypart": 2, "measurement": 3, "final": 4},
}

DO_NOT_KNOW = "I don't know"
NONE_OF_THE_ABOVE = "None of the above"

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Item:
    """A multiple-choice question about one case. `answer` is the index of the right option.

    `part` numbers the questions of one stage, which are asked one by one. `img_path` are the pictures, in the
    order of the options where these name pictures. `reference` holds the range in which a stated value must lie:
    one (low, high), or two, the right side first.
    """

    task: str
    case: str
    stage: Stage
    question: str
    options: tuple[str, ...]
    answer: int
    img_path: tuple[str, ...] = ()
    path: Path = "reasoning"
    part: int = 0
    reference: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.answer < len(self.options) <= len(_LETTERS):
            raise InputError(
                f"{self.task} {self.stage}", "its answer is none of its options", "Give an index of options."
            )
        if len(set(self.options)) != len(self.options):
            raise InputError(f"{self.task} {self.stage}", "two of its options are the same", "Make the options differ.")

    @property
    def right(self) -> str:
        """The right option with its letter: "(b) No"."""
        return lettered(self.options)[self.answer]

    @property
    def prompt(self) -> str:
        """The question with its options, as a model is asked."""
        return f"{self.question} Options: {', '.join(lettered(self.options))}"

    def to_dict(self) -> dict[str, Any]:
        """The exchange form: question, options and answer with letters, img_path, stage, and where it belongs."""
        body = asdict(self)
        return {**body, "options": list(lettered(self.options)), "answer": self.right, "img_path": list(self.img_path)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Item:
        """The item that `to_dict` wrote. Raises InputError when a field is missing or the answer is no option."""
        try:
            options = list(data["options"])
            return cls(
                **{k: data[k] for k in ("task", "case", "stage", "question", "path", "part")},
                options=tuple(option.split(") ", 1)[1] for option in options),
                answer=options.index(data["answer"]),
                img_path=tuple(data["img_path"]),
                reference=tuple((low, high) for low, high in data["reference"]),
            )
        except (KeyError, ValueError, IndexError, TypeError) as error:
            raise InputError("exam item", f"does not fit the form ({error})", "Write it with Item.to_dict.") from error


def lettered(options: tuple[str, ...]) -> tuple[str, ...]:
    """The options as "(a) Yes"."""
    return tuple(f"({letter}) {option}" for letter, option in zip(_LETTERS, options, strict=False))
