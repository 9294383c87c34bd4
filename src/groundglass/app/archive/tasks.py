"""What can be done to every study of an archive, and the columns that each task gives a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from groundglass.core.errors import ConfigurationError

_READERS = tuple(f"groundglass.io.{name}" for name in ("dicom_image", "nifti", "raster", "quality"))
_PARSERS = ("groundglass.reading.brain_mr", "groundglass.reading.radiograph", "groundglass.reading.ct")


@dataclass(frozen=True)
class TaskKind:
    """A task: the module that holds its `run(study, folder, options) -> row`, its columns, and what it reads.

    `columns` maps a column to its type: string, int, float, bool, or one of these in a list ([string]) or a list of
    records ([{...}]). `options` are those that it takes beside the runner's own. `needs` are modules that its first
    study would load: a worker loads them before it calls itself ready.
    """

    name: str
    module: str
    summary: str
    columns: Callable[[Mapping[str, Any]], dict[str, Any]]
    options: tuple[str, ...] = ()
    reads_text: bool = False
    uses_models: bool = False
    needs: tuple[str, ...] = _READERS

    def load(self) -> Callable[..., dict[str, Any]]:
        """The function, with what it needs imported."""
        for module in self.needs:
            import_module(module)
        run: Callable[..., dict[str, Any]] = import_module(f"groundglass.app.archive.{self.module}").run
        return run


def _info(_options: Mapping[str, Any]) -> dict[str, Any]:
    image = {
        "name": "string", "modality": "string", "body_part": "string", "shape": ["int"], "channels": "int",
        "spacing_mm": ["float"], "units": "string", "date": "string",
    }  # fmt: skip
    return {"images": [image], "warnings": ["string"]}


def _check(_options: Mapping[str, Any]) -> dict[str, Any]:
    image = {
        "name": "string", "modality": "string", "shape": ["int"], "usable": "bool", "low": "float", "high": "float",
        "mean": "float", "deviation": "float", "percentile_1": "float", "percentile_99": "float", "sha256": "string",
    }  # fmt: skip
    return {"images": [image], "usable": "int", "warnings": ["string"]}


def _read(_options: Mapping[str, Any]) -> dict[str, Any]:
    finding = {
        "id": "string", "what": "string", "code": "string", "scheme": "string", "status": "string", "side": "string",
        "anatomy": "string", "image": "string", "score": "float",
    }  # fmt: skip
    measurement = {"finding": "string", "kind": "string", "value": "float", "unit": "string", "outside_range": "bool"}
    return {
        "images": "int",
        "modalities": ["string"],
        "findings": [finding],
        "measurements": [measurement],
        "impression": "string",
        "limitations": "string",
        "files": ["string"],
        "warnings": ["string"],
    }


def _label(options: Mapping[str, Any]) -> dict[str, Any]:
    from groundglass.app.label.run import chosen_sets, column_of
    from groundglass.text import label_set

    sets = chosen_sets(options.get("sets", "chexpert14"))
    return {column_of(name, row, sets): "float" for name in sets for row in label_set(name).rules}


TASKS = {
    task.name: task
    for task in (
        TaskKind(
            "read", "task_read", "find, measure and report; report, masks, SEG and SR per study", _read,
            ("only", "language", "segment_with"), uses_models=True, needs=(*_READERS, "torch", "highdicom", *_PARSERS),
        ),
        TaskKind("info", "task_info", "header facts; pixels are not decoded", _info),
        TaskKind("check", "task_check", "decode every image; is it usable, its range of values, its digest", _check),
        TaskKind(
            "label", "task_label", "labels of text reports", _label, ("sets", "language"), reads_text=True, needs=(),
        ),
    )
}  # fmt: skip


def task_of(name: str) -> TaskKind:
    """Raises ConfigurationError for a name that is no task."""
    if name not in TASKS:
        raise ConfigurationError(f"--task {name}", "is not a task", f"Use one of {', '.join(TASKS)}.")
    return TASKS[name]


def checked_options(task: TaskKind, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given a value. Raises ConfigurationError for one that the task does not take."""
    options = {name: value for name, value in given.items() if value not in (None, "", [])}
    for name in options:
        if name not in task.options:
            takes = ", ".join(f"--{o.replace('_', '-')}" for o in task.options) or "no option of its own"
            raise ConfigurationError(
                f"--{name.replace('_', '-')}", f"means nothing to the task {task.name}", f"It takes {takes}."
            )
    return options


def models_of(task: TaskKind) -> dict[str, str]:
    """Names and versions of the built-in models, where the task may use them."""
    if not task.uses_models:
        return {}
    from groundglass.models import builtin_models, model_config

    configs = (model_config(m) for m in builtin_models())
    return {config["name"]: config["version"] for config in configs}
