"""Interactive sessions as the server keeps them: who has one, its prompts, and when it ends.

The mask is a function of the prompts (see segmentation.interactive), so that the server keeps these alone. The worker
keeps the masks, and makes them anew from the prompts when it was replaced.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from dataclasses import dataclass, field

from groundglass.app.serve.problems import not_found, too_many
from groundglass.app.serve.settings import Limits
from groundglass.segmentation.interactive import Prompt


@dataclass
class Seat:
    """One session: on which image, what was prompted, what was undone (newest last)."""

    study: str
    image: str
    axis: int | None
    id: str = field(default_factory=lambda: secrets.token_hex(10))
    prompts: tuple[Prompt, ...] = ()
    undone: tuple[Prompt, ...] = ()
    used: float = field(default_factory=time.monotonic)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Seats:
    """The open sessions: bounded in number and in how fast they come, ended when idle."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._seats: dict[str, Seat] = {}
        self._begun: deque[float] = deque()

    def take(self, study: str, image: str, axis: int | None) -> Seat:
        """A new session. Raises the 429 problem when there are too many, or too many were begun of late."""
        self._expire()
        now = time.monotonic()
        while self._begun and self._begun[0] < now - 60:
            self._begun.popleft()
        if len(self._begun) >= self._limits.sessions_per_minute:
            raise too_many("Too many sessions were begun in the last minute.", after=30)
        if len(self._seats) >= self._limits.sessions:
            raise too_many("All sessions are taken; end one, or wait until one expires.", after=60)
        self._begun.append(now)
        seat = Seat(study, image, axis)
        self._seats[seat.id] = seat
        return seat

    def get(self, seat_id: str) -> Seat:
        """Raises the 404 problem for a session that never was, was ended or expired."""
        self._expire()
        if seat_id not in self._seats:
            raise not_found("session; it may have expired")
        seat = self._seats[seat_id]
        seat.used = time.monotonic()
        return seat

    def leave(self, seat_id: str) -> None:
        """End a session. Raises the 404 problem."""
        self.get(seat_id)
        del self._seats[seat_id]

    def leave_study(self, study: str) -> None:
        """End every session on a study that goes."""
        for seat in [seat for seat in self._seats.values() if seat.study == study]:
            del self._seats[seat.id]

    def __len__(self) -> int:
        self._expire()
        return len(self._seats)

    def _expire(self) -> None:
        oldest = time.monotonic() - self._limits.session_idle
        for seat in [seat for seat in self._seats.values() if seat.used < oldest and not seat.turn.locked()]:
            del self._seats[seat.id]
