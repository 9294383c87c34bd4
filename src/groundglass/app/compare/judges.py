"""The judges that `--judge` names: the built-in one, or a chat endpoint."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from groundglass.core import ConfigurationError

if TYPE_CHECKING:
    from groundglass.metrics.judge import Judge

BUILTIN = "builtin"
_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Choice:
    """`where` is builtin or the address of an OpenAI-compatible endpoint; `store` is the file of its transcripts."""

    where: str
    model: str = ""
    store: Path | None = None

    @property
    def name(self) -> str:
        """For the table: builtin, or the model's name."""
        return self.model or self.where


def choices(words: list[str], model: str, store: Path | None) -> tuple[Choice, ...]:
    """From the command line. `none` means no judge.

    Raises ConfigurationError for a word that is neither builtin nor an address, for an endpoint without a model, and
    for one that cannot be reached.
    """
    if words == ["none"]:
        return ()
    chosen = []
    for word in words or [BUILTIN]:
        if word != BUILTIN and not word.startswith(("http://", "https://")):
            raise ConfigurationError(f"--judge {word}", "is no judge", "Use builtin, none, or an address (http...).")
        if word != BUILTIN and not model:
            raise ConfigurationError(f"--judge {word}", "needs the name of a model", "Add --model NAME.")
        if word != BUILTIN:
            _reach(word)
        chosen.append(Choice(word, "" if word == BUILTIN else model, store))
    if len({choice.name for choice in chosen}) < len(chosen):
        raise ConfigurationError("--judge", "names one judge twice", "Each needs a name of its own in the table.")
    return tuple(chosen)


def _reach(address: str) -> None:
    """Knock once: a mistyped address would otherwise cost the retries of every question."""
    try:
        parts = urlsplit(address)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout=_SECONDS).close()
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"--judge {address}", f"cannot be reached ({error})", "Start it, or mend it."
        ) from error


@lru_cache(maxsize=4)
def judge_of(choice: Choice) -> Judge:
    """The judge, made once per process."""
    if choice.where == BUILTIN:
        from groundglass.metrics.reports.rule_judge import RuleJudge
        from groundglass.text import read_findings

        return RuleJudge(read_findings, "groundglass.text")
    from groundglass.metrics.judge import EndpointJudge

    return EndpointJudge.at(choice.where, choice.model, store=choice.store)
