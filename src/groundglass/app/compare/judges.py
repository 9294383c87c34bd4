"""The judges that `--judge` names: the built-in one, or a chat endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from groundglass.core import ConfigurationError

if TYPE_CHECKING:
    from groundglass.metrics.judge import Judge

BUILTIN = "builtin"


@dataclass(frozen=True, slots=True)
class Choice:
    """`where` is builtin or the address of an OpenAI-compatible endpoint; `store` keeps its transcripts."""

    where: str
    model: str = ""
    store: Path | None = None

    @property
    def name(self) -> str:
        """For the table: builtin, or the model's name."""
        return self.model or self.where


def choices(words: list[str], model: str, store: Path | None) -> tuple[Choice, ...]:
    """From the command line. `none` means no judge.

    Raises ConfigurationError for a word that is neither builtin nor an address, and for an endpoint without model.
    """
    if words == ["none"]:
        return ()
    chosen = []
    for word in words or [BUILTIN]:
        if word != BUILTIN and not word.startswith(("http://", "https://")):
            raise ConfigurationError(f"--judge {word}", "is no judge", "Use builtin, none, or an address (http...).")
        if word != BUILTIN and not model:
            raise ConfigurationError(f"--judge {word}", "needs the name of a model", "Add --model NAME.")
        chosen.append(Choice(word, "" if word == BUILTIN else model, store))
    return tuple(chosen)


@lru_cache(maxsize=4)
def judge_of(choice: Choice) -> Judge:
    """The judge, made once per process."""
    if choice.where == BUILTIN:
        from groundglass.metrics.reports.rule_judge import RuleJudge
        from groundglass.text import read_findings

        return RuleJudge(read_findings, "groundglass.text")
    raise NotImplementedError
