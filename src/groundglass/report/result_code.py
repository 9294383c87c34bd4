"""The result code of a model bank: one state per question, kept apart from the text that it becomes.

A code is `schema version : states`, e.g. `1:01?`: "0" absent, "1" present, "?" not answered. Bits are only ever
appended, each append is a new version, so an old code stays readable. A reader may edit the code before the text is
made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

import numpy as np

from groundglass.core import Finding, Location, ontology
from groundglass.core.errors import InputError
from groundglass.core.finding import Status
from groundglass.report.templates import Statement, shipped_templates

_STATUS: dict[str, Status] = {"0": "absent", "1": "present", "?": "uncertain"}
_STATE = {status: state for state, status in _STATUS.items()} | {"not assessed": "?"}


@dataclass(frozen=True, slots=True)
class Bit:
    """One question: a finding's term, and the lung zone or other place that it is asked for (None: anywhere)."""

    term: str
    place: str | None = None


@dataclass(frozen=True, slots=True)
class CodeSchema:
    """The questions in their fixed order. `history` holds how many of them each version had, first version first."""

    bits: tuple[Bit, ...]
    history: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.history:
            object.__setattr__(self, "history", (len(self.bits),))
        if len(set(self.bits)) != len(self.bits) or self.history[-1] != len(self.bits):
            raise InputError("result code schema", "repeats a bit or miscounts its history", "Append with `with_bit`.")

    @property
    def version(self) -> int:
        return len(self.history)

    def with_bit(self, bit: Bit) -> CodeSchema:
        """The next version, with one more question at the end."""
        return CodeSchema((*self.bits, bit), (*self.history, len(self.bits) + 1))


@dataclass(frozen=True, slots=True)
class ResultCode:
    """States of the first `len(states)` bits of a schema."""

    states: str
    version: int

    def __str__(self) -> str:
        return f"{self.version}:{self.states}"

    @classmethod
    def read(cls, text: str, schema: CodeSchema) -> ResultCode:
        """The code of `version:states`. Raises InputError where it does not fit this schema's history."""
        version, _, states = text.strip().partition(":")
        known = version.isdigit() and 1 <= int(version) <= schema.version
        if not known:
            raise InputError(text, f"is no result code of versions 1 to {schema.version}", "Write it as `1:01?`.")
        if len(states) != schema.history[int(version) - 1] or set(states) - set(_STATUS):
            raise InputError(
                text, f"needs {schema.history[int(version) - 1]} states of 0, 1 and ?", "Write it as `1:01?`."
            )
        return cls(states, int(version))

    def under(self, schema: CodeSchema) -> ResultCode:
        """The code as the schema's newest version: what had not been asked then is "?"."""
        return ResultCode(self.states.ljust(len(schema.bits), "?"), schema.version)

    def edited(self, index: int, state: str) -> ResultCode:
        """The code with one state changed by a reader."""
        if state not in _STATUS or not 0 <= index < len(self.states):
            raise InputError(state, f"cannot stand at place {index} of {self.states}", "Use 0, 1 or ?.")
        return replace(self, states=self.states[:index] + state + self.states[index + 1 :])


def findings_of(
    code: ResultCode, schema: CodeSchema, *, scores: Mapping[Bit, float] | None = None
) -> tuple[Finding, ...]:
    """One finding per bit; `scores` are the models' probabilities, carried but not printed."""
    found = []
    for number, (bit, state) in enumerate(zip(schema.bits, code.states, strict=False)):
        place = Location(ontology()[bit.place]) if bit.place else Location()
        score = (scores or {}).get(bit)
        found.append(Finding(f"b{number + 1}", ontology()[bit.term], _STATUS[state], place, score=score))
    return tuple(found)


def sentences_of(
    code: ResultCode, schema: CodeSchema, *, language: str = "en", rng: np.random.Generator | None = None
) -> tuple[str, ...]:
    """The sentence of each bit, in the code's order; with `rng` any of its paraphrases."""
    tables = shipped_templates()
    return tuple(
        tables.write(_statement(bit, _STATUS[state]), language=language, rng=rng)
        for bit, state in zip(schema.bits, code.states, strict=False)
    )


def code_of(
    sentences: Sequence[str], schema: CodeSchema, *, language: str = "en", version: int | None = None
) -> ResultCode:
    """The code that a report's sentences state, in any order; a bit that no sentence states is "?".

    Raises InputError when a sentence is not one of the schema's, or two contradict each other.
    """
    states = ["?"] * schema.history[(version or schema.version) - 1]
    stated: dict[int, str] = {}
    for sentence in sentences:
        statement = shipped_templates().parse(sentence, language=language)
        index = None if statement is None else _index(statement, schema)
        if statement is None or index is None or index >= len(states):
            raise InputError(
                sentence, "states no bit of the result code", "Give only the sentences of the code's report."
            )
        state = _STATE[statement.polarity]
        if stated.setdefault(index, state) != state:
            raise InputError(sentence, "contradicts another sentence of the report", "Keep one of them.")
        states[index] = state
    return ResultCode("".join(states), version or schema.version)


@cache
def _statement(bit: Bit, status: Status) -> Statement:
    """The bit's own sentence: the finding's special template where it has one for this place, else the generic."""
    tables = shipped_templates()
    if bit.place is None:
        key = bit.term if bit.term in {t.key for t in tables} else "finding"
        return tables.statement(key, status) if key == bit.term else tables.statement(key, status, finding=bit.term)
    if bit.term == "consolidation" and "zone of lung" in bit.place:
        return tables.statement("consolidation in zone", status, zone=bit.place)
    return tables.statement("finding in place", status, finding=bit.term, place=(None, bit.place))


def _index(statement: Statement, schema: CodeSchema) -> int | None:
    for index, bit in enumerate(schema.bits):
        own = _statement(bit, "present")
        if (own.key, own.slots) == (statement.key, statement.slots):
            return index
    return None


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """How many reports were made of codes, and how many read back to their code."""

    right: int
    total: int


def round_trips(
    schema: CodeSchema, *, language: str = "en", states: str = "01?", paraphrases: int | None = None, seed: int = 0
) -> RoundTrips:
    """Every code of these states to its report and back, in all combinations of paraphrases, or in some drawn ones."""
    tables, right, total = shipped_templates(), 0, 0
    rng = np.random.default_rng(seed)
    for chosen in product(states, repeat=len(schema.bits)):
        code = ResultCode("".join(chosen), schema.version)
        if paraphrases is None:
            said = [_statement(bit, _STATUS[s]) for bit, s in zip(schema.bits, chosen, strict=True)]
            texts: Iterable[tuple[str, ...]] = product(*(tables.paraphrases(s, language=language) for s in said))
        else:
            texts = (sentences_of(code, schema, language=language, rng=rng) for _ in range(paraphrases))
        for report in texts:
            right += code_of(report, schema, language=language) == code
            total += 1
    return RoundTrips(right, total)


ZONES = ("upper zone of lung", "middle zone of lung", "lower zone of lung")
_NAMES = ("cardiomegaly", "pleural effusion", "consolidation")
# The card's three models; and with a code per segment, three each.
CHEST = CodeSchema(tuple(Bit(name) for name in _NAMES))
CHEST_BY_SEGMENT = CodeSchema(tuple(Bit(name, zone) for zone in ZONES for name in _NAMES))
# What the bank answers: heart and pleura once, consolidation by zone.
BANK = CodeSchema((Bit("cardiomegaly"), Bit("pleural effusion"), *(Bit("consolidation", zone) for zone in ZONES)))
