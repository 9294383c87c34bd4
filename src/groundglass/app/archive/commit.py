"""How a result becomes true: everything is made in a hidden folder, and one rename makes it the study's.

After a kill at any moment a study has either its whole folder or none; a second worker that finished the same study
finds the first one's folder and takes that.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from groundglass.app.archive.faults import StudyMemoryError, TaskError
from groundglass.app.archive.study import Fault, StudyRef, Work
from groundglass.core.errors import GroundglassError
from groundglass.io.atomic import write_json_atomic

STUDIES, QUARANTINE, UNFINISHED = "studies", "quarantine", ".unfinished"

Task = Callable[[StudyRef, Path, dict[str, Any]], dict[str, Any]]


def carry_out(task: Task, study: StudyRef, work: Work) -> dict[str, Any]:
    """Run `task` and make its result true; the row. Raises the task's typed errors, and TaskError for others."""
    unfinished = Path(work.out) / UNFINISHED
    unfinished.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f"{study.name}.", dir=unfinished))
    try:
        row = task(study, staging, dict(work.options))
        # Not flushed to disk: waiting for that would take longer than a small study. Whoever resumes reads it again,
        # and what a power cut left of it is then no result.
        told = {"study": study.key, "pipeline": work.pipeline, "row": row}
        (staging / "result.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        staging.chmod(0o755)
        final = Path(work.out) / STUDIES / study.name
        final.parent.mkdir(exist_ok=True)
        try:
            staging.rename(final)
        except OSError:
            known = committed(study.key, study.name, work.pipeline, Path(work.out))
            if known is not None:
                return known
            shutil.rmtree(final, ignore_errors=True)  # what is there is no result: a deletion that was cut short
            staging.rename(final)
        return row
    except GroundglassError:
        raise
    except MemoryError as error:
        raise StudyMemoryError(study.source, "needs more memory than there is", "Use fewer --workers.") from error
    except Exception as error:
        raise unexpected(study, error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def unexpected(study: StudyRef, error: Exception) -> TaskError:
    """The typed form of an error that nobody foresaw."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(where.filename).name}:{where.lineno}"
    return TaskError(study.source, f"{type(error).__name__} at {place}: {error}", "Please report it.")


def committed(key: str, name: str, pipeline: str, out: Path) -> dict[str, Any] | None:
    """The row of a study that is done, None when it is not."""
    try:
        result = json.loads((out / STUDIES / name / "result.json").read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(result, dict) or (result.get("study"), result.get("pipeline")) != (key, pipeline):
        return None
    row = result.get("row")
    return row if isinstance(row, dict) else None


def set_aside(study: StudyRef, work: Work, fault: Fault) -> None:
    """Write down why a study has no result."""
    told = {"study": study.key, "pipeline": work.pipeline, "source": study.source, "fault": asdict(fault)}
    write_json_atomic(Path(work.out) / QUARANTINE / f"{study.name}.json", told)


def quarantined(key: str, name: str, pipeline: str, out: Path) -> Fault | None:
    """The fault of a study that was set aside, None when it was not."""
    try:
        told = json.loads((out / QUARANTINE / f"{name}.json").read_bytes())
        if (told["study"], told["pipeline"]) != (key, pipeline):
            return None
        return Fault(**told["fault"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget(name: str, out: Path) -> None:
    """Take back what is said of a study, so that it is done anew. A kill in between leaves nothing half true."""
    (out / QUARANTINE / f"{name}.json").unlink(missing_ok=True)
    folder = out / STUDIES / name
    if folder.exists():
        # result.json goes first: without it the folder is no result.
        (folder / "result.json").unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


def sweep(out: Path) -> None:
    """Remove what killed workers left unfinished. The caller holds the lock of the archive."""
    unfinished = out / UNFINISHED
    if unfinished.is_dir():
        for entry in os.scandir(unfinished):
            shutil.rmtree(entry.path, ignore_errors=True)
