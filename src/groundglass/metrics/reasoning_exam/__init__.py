"""Step-by-step exams of diagnostic reasoning (CXReasonBench, arXiv 2505.18087): items, sittings, scores."""

from groundglass.metrics.reasoning_exam.agents import (
    AlwaysUnsure,
    AnswerWithoutPicture,
    RandomChooser,
    distance_from_chance,
)
from groundglass.metrics.reasoning_exam.item import DO_NOT_KNOW, NONE_OF_THE_ABOVE, STAGES, Item, lettered
from groundglass.metrics.reasoning_exam.reply import chosen_option, stated_sides, stated_values
from groundglass.metrics.reasoning_exam.scores import ExamScores, RefinedScores, ranked, score
from groundglass.metrics.reasoning_exam.sitting import Agent, Transcript, Turn, ask, sit, sit_guided
from groundglass.metrics.reasoning_exam.verdict import Judge, Verdict, grade, majority, value_is_right

__all__ = [
    "DO_NOT_KNOW",
    "NONE_OF_THE_ABOVE",
    "STAGES",
    "Agent",
    "AlwaysUnsure",
    "AnswerWithoutPicture",
    "ExamScores",
    "Item",
    "Judge",
    "RandomChooser",
    "RefinedScores",
    "Transcript",
    "Turn",
    "Verdict",
    "ask",
    "chosen_option",
    "distance_from_chance",
    "grade",
    "lettered",
    "majority",
    "ranked",
    "score",
    "sit",
    "sit_guided",
    "stated_sides",
    "stated_values",
    "value_is_right",
]
