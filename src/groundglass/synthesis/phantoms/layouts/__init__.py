"""Phantoms as folders that other tools read: plain, BIDS, Medical Segmentation Decathlon, COCO, MIMIC-CXR-like.

Every case is written where it is made, whole or not at all, and gives back a small record; when all are there, the
records become the layout's tables. Same seed, same bytes, with any number of workers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from groundglass.core import ConfigurationError
from groundglass.synthesis.phantoms.layouts import bids, coco, mimic, msd, plain
from groundglass.synthesis.phantoms.phantom import Phantom
from groundglass.synthesis.phantoms.stream import stream_phantoms

Record = dict[str, Any]
SIMULATED = "Simulated by groundglass; no patient. Not for clinical use."


@dataclass(frozen=True)
class Layout:
    """`write` one case into a folder; `finish` the tables of all records."""

    write: Callable[[Phantom, Path], Record]
    finish: Callable[[list[Record], Path, str], None]


LAYOUTS = {
    "plain": Layout(plain.write, plain.finish),
    "bids": Layout(bids.write, bids.finish),
    "msd": Layout(msd.write, msd.finish),
    "coco": Layout(coco.write, coco.finish),
    "mimic": Layout(mimic.write, mimic.finish),
}


def write_phantoms(
    kind: str,
    count: int,
    seed: int,
    folder: Path,
    *,
    layout: str = "plain",
    start: int = 0,
    visits: int = 1,
    workers: int = 1,
    tell: Callable[[str], None] = lambda _message: None,
    **options: Any,
) -> list[Record]:
    """Write `count` patients with `visits` examinations each to `folder`; a record per examination.

    Raises ConfigurationError for an unknown layout or what `stream_phantoms` refuses, InputError for a folder that
    cannot be written.
    """
    if layout not in LAYOUTS:
        raise ConfigurationError(layout, "is not a layout", f"Use one of {', '.join(LAYOUTS)}.")
    chosen = LAYOUTS[layout]
    records: list[Record] = []
    work = partial(_written, layout, folder)
    for record in stream_phantoms(kind, count, seed, work, start=start, visits=visits, workers=workers, **options):
        records.append(record)
        tell(f"{len(records)} of {count * visits}")
    chosen.finish(records, folder, kind)
    return records


def _written(layout: str, folder: Path, phantom: Phantom) -> Record:
    return LAYOUTS[layout].write(phantom, folder)
