"""The questions to a language model: data files of this package, versioned and hashed."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any


@dataclass(frozen=True, slots=True)
class Prompt:
    """A system text, a question with named slots, worked examples (slots, answer) and the JSON schema of an answer.

    `digest` is a hash of all of it: with the model's name it says who judged.
    """

    name: str
    version: str
    digest: str
    system: str
    question: str
    examples: tuple[tuple[Mapping[str, str], str], ...]
    schema: Mapping[str, Any]

    def messages(self, slots: Mapping[str, str]) -> list[dict[str, str]]:
        """The chat: system text, the examples as turns, the question."""
        turns = [{"role": "system", "content": self.system}]
        for given, answer in self.examples:
            turns += [{"role": "user", "content": self._filled(given)}, {"role": "assistant", "content": answer}]
        return [*turns, {"role": "user", "content": self._filled(slots)}]

    def _filled(self, slots: Mapping[str, str]) -> str:
        return Template(self.question).substitute(slots)


@cache
def load_prompt(name: str) -> Prompt:
    """The prompt of this name ("entailment", "phrases", "errors", "green")."""
    raw = files("groundglass.metrics.judge").joinpath("prompts", f"{name}.toml").read_bytes()
    data = tomllib.loads(raw.decode("utf-8"))
    examples = tuple(
        ({slot: text.strip() for slot, text in example.items() if slot != "answer"}, _compact(example["answer"]))
        for example in data["example"]
    )
    digest = hashlib.sha256(raw).hexdigest()[:16]
    schema = json.loads(data["schema"])
    return Prompt(name, data["version"], digest, data["system"].strip(), data["question"].strip(), examples, schema)


def _compact(answer: str) -> str:
    return json.dumps(json.loads(answer), ensure_ascii=False)
