"""Everything a request may need, in one place: studies, workers, jobs, sessions, the log."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.requests import HTTPConnection

from groundglass.app.serve.audit import Audit
from groundglass.app.serve.jobs import Jobs
from groundglass.app.serve.problems import Problem, of_error, too_many
from groundglass.app.serve.reading import Opened
from groundglass.app.serve.review import load_review
from groundglass.app.serve.seats import Seats
from groundglass.app.serve.settings import Settings
from groundglass.app.serve.store import Store, read_json
from groundglass.app.serve.worker import Tell, Worker, WorkerBusy, WorkerGone
from groundglass.core.errors import GroundglassError


class Desk:
    """The server's state. Three workers: what comes in and goes out, readings, and interactive sessions."""

    def __init__(self, settings: Settings) -> None:
        limits = settings.limits
        self.settings, self.limits = settings, limits
        self.store = Store(settings.home, at_most=limits.studies)
        self.audit = Audit(settings.home)
        self.jobs = Jobs(limits)
        self.seats = Seats(limits)
        self.uploads = 0
        self._files = Worker("files", bytes_at_most=limits.worker_bytes, waiting=limits.waiting_calls)
        self._reader = Worker("reader", bytes_at_most=limits.worker_bytes, waiting=limits.waiting_jobs)
        self._bench = Worker("bench", bytes_at_most=limits.worker_bytes, waiting=limits.waiting_calls, keep=True)

    async def close(self) -> None:
        """End jobs and workers."""
        await self.jobs.close()
        for worker in (self._files, self._reader, self._bench):
            worker.close()
        self.audit.close()
        self.store.close()

    async def on_files(self, function: Callable[..., Any], *arguments: Any, what: str = "file") -> Any:
        """Run a function on files apart. Its errors become problems that tell of `what`."""
        return await self._asked(self._files, function, arguments, what)

    async def on_bench(self, function: Callable[..., Any], *arguments: Any, what: str = "prompt") -> Any:
        """As `on_files`, beside the interactive sessions."""
        return await self._asked(self._bench, function, arguments, what)

    async def on_models(self, function: Callable[..., Any], *arguments: Any, what: str = "image") -> Any:
        """As `on_files`, in line with the readings."""
        return await self._asked(self._reader, function, arguments, what)

    async def on_reader(self, function: Callable[..., Any], *arguments: Any, tell: Tell, stop: threading.Event) -> Any:
        """Run a reading; raises what the worker raises."""
        seconds = self.limits.read_seconds
        return await self._reader.call(function, *arguments, seconds=seconds, tell=tell, cancelled=stop)

    async def _asked(self, worker: Worker, function: Callable[..., Any], arguments: tuple[Any, ...], what: str) -> Any:
        try:
            return await worker.call(function, *arguments, seconds=self.limits.call_seconds)
        except GroundglassError as error:
            raise of_error(error, said=str(error)) from error
        except WorkerBusy as error:
            raise too_many("Too much waits to be done.") from error
        except WorkerGone as error:
            raise Problem(422, "not-readable", f"The {what} cannot be worked on: the process {error}.") from error

    def opened(self, study_id: str) -> Opened:
        """A study as workers open it. Raises the 404 problem."""
        record, folder = self.store.get(study_id), self.store.folder(study_id)
        root = self.settings.data.resolve() if record.origin == "path" else folder.input
        return Opened(
            folder.path, root, tuple(record.files), tuple(image["id"] for image in record.images),
            tuple(image["name"] for image in record.images),
        )  # fmt: skip

    def usable_image(self, study_id: str, image_id: str) -> dict[str, Any]:
        """The facts of an image that has pixels. Raises the 404 problem, and 409 where it has none."""
        image = self.store.get(study_id).image(image_id)
        if not self.volume(study_id, image_id).is_file():
            raise Problem(409, "no-pixels", "The pixels of this image cannot be shown; its warnings say why.")
        return image

    def volume(self, study_id: str, image_id: str) -> Path:
        """The volume of an image as the viewer loads it; there unless the pixels do not decode."""
        return self.store.folder(study_id).image(image_id) / "volume.nii.gz"

    def view(self, study_id: str) -> dict[str, Any]:
        """What the reading left for the viewer. Raises the 409 problem when there is neither a reading nor a drawing.

        A study that was not read, but drawn on, has a report of the drawings alone.
        """
        place = self.store.folder(study_id)
        if not place.findings.is_file():
            if not load_review(place).drawn:
                raise Problem(409, "not-read", "There is no report of this study yet: read it first.")
            return {"document": {"report": {"type": "Report", "sections": [], "findings": []}}, "findings": []}
        view: dict[str, Any] = read_json(place.findings, "report")
        return view


def desk_of(request: HTTPConnection) -> Desk:
    """The desk of the application that a request came to."""
    desk: Desk = request.app.state.desk
    return desk
