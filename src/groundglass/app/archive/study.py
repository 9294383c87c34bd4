"""What travels between the runner and its workers: a study to do, the work to do on it, and what came of it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from groundglass.core.errors import GroundglassError

Kind = Literal["dicom", "image", "zip", "text", "dicomweb"]


@dataclass(frozen=True, slots=True)
class StudyRef:
    """A study that was found, not yet read.

    `key` is its StudyInstanceUID, `sha256:...` of its content, or the id that a manifest gives it. `source` is where it
    was found, relative to the archive; `paths` are its files. `name` is that of its artefact folder.
    """

    key: str
    name: str
    kind: Kind
    source: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """The same for every study of a run: the task with its options, the archive's root, and where results go."""

    task: str
    options: Mapping[str, Any]
    pipeline: str
    root: str
    out: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a study has no result: the type of the error, the input that it names, the problem and the remedy."""

    type: str
    input: str
    problem: str
    remedy: str

    @classmethod
    def of(cls, error: GroundglassError, *, root: str = "") -> Fault:
        """The fault that a typed error tells of; paths below `root` are made relative to it."""
        return cls(
            type(error).__name__,
            below(error.input_name, root),
            below(error.problem, root),
            below(error.remedy, root),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """`state`: done (with `row`), failed (with `fault`), or lost: its worker died, and it may be tried again."""

    key: str
    state: Literal["done", "failed", "lost"]
    row: dict[str, Any] = field(default_factory=dict)
    fault: Fault | None = None
    seconds: float = 0.0
    peak_bytes: int = 0
    worker: str = ""


def below(text: str, root: str) -> str:
    """`text` with paths below `root` made relative to it, so that rows say the same wherever the archive is mounted."""
    return text.replace(f"{root.rstrip('/')}/", "") if root else text


def pipeline_version(task: str, options: Mapping[str, Any], models: Mapping[str, str], version: str) -> str:
    """The name of everything that a result depends on beside the study: another one makes other results.

    `models` are the names and versions of the models that the task may use.
    """
    told = json.dumps([task, dict(options), dict(models)], sort_keys=True, ensure_ascii=False)
    return f"{version}+{task}.{hashlib.sha256(told.encode()).hexdigest()[:10]}"


def folder_name(key: str, source: str, pipeline: str) -> str:
    """A short, unique and readable name for the artefacts of a study under a pipeline."""
    digest = hashlib.sha256(f"{key}\n{pipeline}".encode()).hexdigest()[:12]
    readable = Path(source).name if key.startswith("sha256:") else key
    stem = re.sub(r"[^A-Za-z0-9.]+", "-", readable).strip("-.")[:64]
    return f"{stem or 'study'}-{digest}"
