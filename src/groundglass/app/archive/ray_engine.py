"""Workers as actors of a Ray cluster, or of a Ray that is started on this machine when no address is given.

The archive and the output folder must be reachable under the same path on every machine of the cluster.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, cast

from groundglass.app.archive.engine import Engine, Hand, Lost, threads_of
from groundglass.app.archive.study import Outcome, StudyRef, Work
from groundglass.core.errors import ConfigurationError


class Actor:
    """What lives on the cluster; made remote by `RayEngine`, so that this module imports without Ray."""

    def __init__(self, work: Work) -> None:
        from groundglass.app.archive.tasks import task_of

        self._work = work
        self._task = task_of(work.task).load()

    def ready(self) -> None:
        """Answers once the models' code is there."""

    def perform(self, study: StudyRef) -> Outcome:
        from groundglass.app.archive.worker import perform

        return perform(self._task, study, self._work)


class Remote(Hand):
    """An actor, and the reference of what it is to answer next."""

    def __init__(self, ray: Any, actor: Any) -> None:
        super().__init__()
        self._ray, self._actor = ray, actor
        self.answer = actor.ready.remote()

    def give(self, study: StudyRef) -> None:
        self.answer = self._actor.perform.remote(study)

    def receive(self) -> Outcome | None:
        try:
            return cast("Outcome | None", self._ray.get(self.answer))
        except self._ray.exceptions.RayError as error:
            raise Lost(f"its Ray actor died ({type(error).__name__})") from error

    def kill(self) -> None:
        self._ray.kill(self._actor)


class RayEngine(Engine):
    """Actors of the cluster at `address` (host:port or ray://...), or of this machine where it is empty."""

    def __init__(self, work: Work, *, address: str = "", **limits: Any) -> None:
        super().__init__(work, **limits)
        try:
            import ray
        except ImportError as error:
            raise ConfigurationError(
                "--engine ray", "needs Ray, which is not installed", "pip install 'groundglass[ray]', or use pool."
            ) from error
        self._ray = ray
        self._is_ours = not ray.is_initialized()
        try:
            # This machine alone takes as many workers as were asked for; a cluster knows its own cores.
            local: dict[str, Any] = {} if address else {"num_cpus": self.workers, "include_dashboard": False}
            ray.init(
                address or "local", logging_level=logging.ERROR, log_to_driver=False, ignore_reinit_error=True,
                runtime_env={"env_vars": threads_of(self.workers)}, **local,
            )  # fmt: skip
        except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
            raise ConfigurationError(
                f"--ray-address {address}", f"cannot be reached ({error})", "Check the address and that Ray runs there."
            ) from error
        # Lost studies are the runner's to try again: it knows how often.
        self._actor = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Actor)

    def new_hand(self) -> Remote:
        return Remote(self._ray, self._actor.remote(self.work))

    def news(self, hands: Sequence[Hand], seconds: float) -> list[Hand]:
        by_answer = {cast("Remote", hand).answer: hand for hand in hands}
        if not by_answer:
            return []
        done, _ = self._ray.wait(list(by_answer), num_returns=1, timeout=seconds)
        # Whatever else is ready comes along without waiting.
        more, _ = self._ray.wait(list(by_answer), num_returns=len(by_answer), timeout=0) if done else ([], [])
        return [by_answer[answer] for answer in {*done, *more}]

    def close(self) -> None:
        super().close()
        if self._is_ours:
            self._ray.shutdown()
