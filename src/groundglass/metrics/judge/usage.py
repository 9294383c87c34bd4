"""What a judge cost: questions, requests, tokens, time and failures, counted while it works."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """Price of a million tokens, read and written, in any currency."""

    input: float
    output: float


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts since the judge was made. `failures` names what was wrong with questions that got no usable answer."""

    questions: int
    from_store: int
    requests: int
    retries: int
    input_tokens: int
    output_tokens: int
    seconds: float
    failures: Mapping[str, int]

    @property
    def failed(self) -> int:
        """Questions without a usable answer."""
        return sum(self.failures.values())

    def cost(self, price: Price) -> float:
        """In the currency of the price; answers from the store cost nothing."""
        return (self.input_tokens * price.input + self.output_tokens * price.output) / 1e6


class Ledger:
    """The running counts, safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._seconds = 0.0

    def add(self, *, seconds: float = 0.0, **counts: int) -> None:
        """Add to counts by their name in `Usage`."""
        with self._lock:
            self._counts.update(counts)
            self._seconds += seconds

    def fail(self, problem: str) -> None:
        """One more question without a usable answer."""
        with self._lock:
            self._failures[problem] += 1

    @property
    def usage(self) -> Usage:
        with self._lock:
            counts = self._counts
            return Usage(
                counts["questions"],
                counts["from_store"],
                counts["requests"],
                counts["retries"],
                counts["input_tokens"],
                counts["output_tokens"],
                self._seconds,
                dict(self._failures),
            )
