"""One loop that keeps workers busy, whatever they are: processes of this machine or actors of a cluster.

    with Pool(work, workers=2, timeout=600, memory=8 << 30) as engine:
        for outcome in engine.map(studies, source): ...

Outcomes come in the order in which they are done. A study that takes too long or too much memory costs its worker,
which is killed and replaced; the rest goes on.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from groundglass.app.archive.ahead import ReadAhead
from groundglass.app.archive.commit import committed, quarantined, set_aside, unexpected
from groundglass.app.archive.faults import StudyMemoryError, StudyTimeoutError
from groundglass.app.archive.sources import Source
from groundglass.app.archive.study import Fault, Outcome, StudyRef, Work
from groundglass.core.errors import ConfigurationError, GroundglassError, NetworkError

_START_SECONDS = 300.0
_MOST_START_FAILURES = 3
# How often the memory of workers is looked at, and how soon a study that is being fetched is asked for again.
_WATCH_SECONDS = 0.5
_FETCH_SECONDS = 0.005


class Lost(Exception):  # noqa: N818 - internal: the loop turns it into an outcome
    """A worker died; the message says how."""


class Hand(ABC):
    """One worker: starting, idle, or at work on `study` since `since` (seconds of the monotonic clock)."""

    def __init__(self) -> None:
        self.study: StudyRef | None = None
        self.is_ready = False
        self.since = time.monotonic()
        self.name = ""

    @abstractmethod
    def give(self, study: StudyRef) -> None:
        """Begin a study. Raises Lost."""

    @abstractmethod
    def receive(self) -> Outcome | None:
        """What has come: an outcome, or None for the word that it is ready. Raises Lost. Called when there is news."""

    @abstractmethod
    def kill(self) -> None:
        """End it at once, with all that it started."""

    def memory(self) -> int:
        """Bytes that it holds now; 0 where that is not known."""
        return 0


class Engine(ABC):
    """Keeps `workers` hands busy. `timeout` in seconds and `memory` in bytes are the limits of one study."""

    def __init__(
        self,
        work: Work,
        *,
        workers: int,
        timeout: float,
        memory: int = 0,
    ) -> None:
        self.work, self.workers, self.timeout, self.memory = work, workers, timeout, memory
        self.hands: list[Hand] = []
        self._source: Source | None = None
        self._start_failures = 0

    @abstractmethod
    def new_hand(self) -> Hand:
        """Start a worker."""

    @abstractmethod
    def news(self, hands: Sequence[Hand], seconds: float) -> list[Hand]:
        """The hands that have something to receive, waiting at most so long for the first."""

    def __enter__(self) -> Self:
        """Start the workers and wait until all are ready. Raises ConfigurationError when they do not start."""
        try:
            self.hands = [self.new_hand() for _ in range(self.workers)]
            while any(not hand.is_ready for hand in self.hands):
                for _ in self._collect(_WATCH_SECONDS):
                    pass
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        for hand in self.hands:
            hand.kill()
        self.hands = []

    def map(self, studies: Iterator[StudyRef], source: Source) -> Iterator[Outcome]:
        """An outcome for every study of `source`; at most three for each worker are taken ahead of their outcome."""
        self._source = source
        with ReadAhead(studies, 2 * self.workers, source.prepare) as ahead:
            while True:
                yield from self._give_out(ahead)
                if not any(hand.study for hand in self.hands) and ahead.is_empty:
                    return
                starved = any(hand.is_ready and not hand.study for hand in self.hands) and not ahead.is_empty
                yield from self._collect(_FETCH_SECONDS if starved else _WATCH_SECONDS)

    def _give_out(self, ahead: ReadAhead) -> Iterator[Outcome]:
        for place, hand in enumerate(self.hands):
            while hand.is_ready and hand.study is None:
                taken = ahead.take()
                if taken is None:
                    return
                study, fetched = taken
                problem = fetched.exception()
                if problem is not None:
                    yield self._not_fetched(study, problem)
                    continue
                hand.study, hand.since = fetched.result(), time.monotonic()
                try:
                    hand.give(hand.study)
                except Lost as error:
                    yield from self._lost(place, error)
                    break

    def _collect(self, seconds: float) -> Iterator[Outcome]:
        """What came within so many seconds; hands that are dead or over their limits are replaced."""
        places = {id(hand): place for place, hand in enumerate(self.hands)}
        busy = [hand for hand in self.hands if hand.study or not hand.is_ready]
        due = min((hand.since + self._limit(hand) for hand in busy), default=math.inf) - time.monotonic()
        for hand in self.news(busy, max(0.0, min(seconds, due))):
            try:
                outcome = hand.receive()
            except Lost as error:
                yield from self._lost(places[id(hand)], error)
                continue
            if outcome is None:
                hand.is_ready, self._start_failures = True, 0
                continue
            self._release(hand)
            yield outcome
        yield from self._over_limits()

    def _limit(self, hand: Hand) -> float:
        return self.timeout if hand.is_ready else _START_SECONDS

    def _over_limits(self) -> Iterator[Outcome]:
        now = time.monotonic()
        for place, hand in enumerate(self.hands):
            study = hand.study
            if now - hand.since >= self._limit(hand) and (study or not hand.is_ready):
                if study is None:
                    yield from self._lost(place, Lost("did not start in time"))
                    continue
                error: GroundglassError = StudyTimeoutError(
                    study.source,
                    f"took more than {self.timeout:g} s",
                    "Allow more with --timeout, or look at it alone.",
                )
            elif study and self.memory and hand.memory() > self.memory:
                error = StudyMemoryError(
                    study.source,
                    f"needed more than {self.memory / 2**30:.1f} GiB",
                    "Allow more with --memory, with fewer --workers.",
                )
            else:
                continue
            hand.kill()
            self.hands[place] = self.new_hand()
            self._release(hand)
            yield self._known(study) or self._failed(study, error, hand)

    def _lost(self, place: int, error: Lost) -> Iterator[Outcome]:
        hand = self.hands[place]
        hand.kill()
        if not hand.is_ready:
            self._start_failures += 1
            if self._start_failures >= _MOST_START_FAILURES:
                raise ConfigurationError(
                    f"worker of {self.work.task}", f"does not start ({error})", "The lines above say why."
                )
        self.hands[place] = self.new_hand()
        study = hand.study
        if study is not None:
            self._release(hand)
            fault = Fault("Lost", study.source, str(error), "")
            yield self._known(study) or Outcome(study.key, "lost", fault=fault, seconds=time.monotonic() - hand.since)

    def _release(self, hand: Hand) -> None:
        assert hand.study is not None and self._source is not None
        self._source.release(hand.study)
        hand.study = None

    def _known(self, study: StudyRef) -> Outcome | None:
        """The outcome that a worker had made true before it was killed."""
        row = committed(study.key, study.name, self.work.pipeline, Path(self.work.out))
        if row is not None:
            return Outcome(study.key, "done", row)
        fault = quarantined(study.key, study.name, self.work.pipeline, Path(self.work.out))
        return Outcome(study.key, "failed", fault=fault) if fault else None

    def _failed(self, study: StudyRef, error: GroundglassError, hand: Hand) -> Outcome:
        fault = Fault.of(error, root=self.work.root)
        set_aside(study, self.work, fault)
        return Outcome(study.key, "failed", fault=fault, seconds=time.monotonic() - hand.since, worker=hand.name)

    def _not_fetched(self, study: StudyRef, problem: BaseException) -> Outcome:
        if not isinstance(problem, Exception):
            raise problem
        error = problem if isinstance(problem, GroundglassError) else unexpected(study, problem)
        fault = Fault.of(error, root=self.work.root)
        if isinstance(error, NetworkError):
            return Outcome(study.key, "lost", fault=fault)
        set_aside(study, self.work, fault)
        return Outcome(study.key, "failed", fault=fault)


def threads_of(workers: int) -> dict[str, str]:
    """Environment of a worker: the cores are shared out among the workers."""
    from groundglass.core.cores import free_cores

    each = str(max(1, free_cores() // workers))
    return dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"), each
    )
