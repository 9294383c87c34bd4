"""Which generators there are, and how a phantom is made from a seed.

A new kind is a module with a `KIND` (see `kind.Kind`) and one line in `_MODULES`. The same kind, seed, index, visit and
options give the same bytes on every machine run, in every process and with any number of workers.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from groundglass.core import ConfigurationError
from groundglass.synthesis.phantoms.kind import Case, Drawn, Kind
from groundglass.synthesis.phantoms.phantom import Phantom
from groundglass.synthesis.phantoms.planted import NoRoomError, Plant, evolve, findings_of

_MODULES = {
    "chest-ct": "chest_ct",
    "abdomen-ct": "abdomen_ct",
    "petct": "petct",
    "brain-mr": "brain_mr",
    "spine-mr": "spine_mr",
    "radiograph": "radiograph",
    "retina": "retina",
    "microscopy": "microscopy",
    "ultrasound": "ultrasound",
}
_FIRST_DAY = date(2024, 1, 1)


def phantom_kinds() -> tuple[str, ...]:
    """Names of all generators."""
    return tuple(_MODULES)


@cache
def kind_named(name: str) -> Kind:
    """The generator of this name, imported at its first use. Raises ConfigurationError for another name."""
    if name not in _MODULES:
        raise ConfigurationError(name, "is not a kind of phantom", f"Use one of {', '.join(_MODULES)}.")
    kind: Kind = import_module(f"groundglass.synthesis.phantoms.{_MODULES[name]}").KIND
    return kind


def make_phantom(
    kind: str,
    seed: int,
    index: int = 0,
    *,
    plants: Sequence[Plant] | None = None,
    language: str = "en",
    **options: Any,
) -> Phantom:
    """Patient number `index` of `seed`. `plants` plants exactly these (an empty sequence: a normal examination).

    `options` are those of the generator's `make` (`shape`, `noise`, ...). Raises ConfigurationError for an unknown
    kind, option or finding, for what finds no room, and for what would not be seen.
    """
    made = _kind_and_case(kind, seed, index, options)
    generator, case = made
    if plants is None:
        chosen, drawn = _seen(generator, case, generator.draw(case.patient("plants")), options)
    else:
        chosen = tuple(plants)
        drawn = generator.make(case, chosen, **options)
    return _phantom(generator, case, drawn, None, language)


def phantom_series(
    kind: str, seed: int, index: int = 0, *, visits: int = 3, language: str = "en", **options: Any
) -> tuple[Phantom, ...]:
    """The same patient at `visits` dates, oldest first: the anatomy stays, findings grow, shrink, go and come.

    Every report after the first compares with the one before. Raises as `make_phantom`.
    """
    if not 1 <= visits <= 20:
        raise ConfigurationError(f"visits {visits}", "cannot be simulated", "Use 1 to 20.")
    generator, case = _kind_and_case(kind, seed, index, options)
    plants = generator.draw(case.patient("plants"))
    series: list[Phantom] = []
    for visit in range(visits):
        here = Case(kind, seed, index, visit)
        if visit:
            course = here.scan("course")
            plants = evolve(plants, generator.draw(course), course)
        plants, drawn = _seen(generator, here, plants, options)
        series.append(_phantom(generator, here, drawn, series[-1] if series else None, language))
    return tuple(series)


def _kind_and_case(kind: str, seed: int, index: int, options: dict[str, Any]) -> tuple[Kind, Case]:
    generator = kind_named(kind)
    known = [p.name for p in inspect.signature(generator.make).parameters.values() if p.kind is p.KEYWORD_ONLY]
    for option in options:
        if option not in known:
            raise ConfigurationError(option, f"is not an option of {kind}", f"Use one of {', '.join(known)}.")
    if seed < 0 or index < 0:
        raise ConfigurationError(f"seed {seed}, index {index}", "are not counts", "Use 0 or more.")
    return generator, Case(kind, seed, index)


def _seen(
    generator: Kind, case: Case, plants: Sequence[Plant], options: dict[str, Any]
) -> tuple[tuple[Plant, ...], Drawn]:
    """Make the case without those of its drawn plants that find no room or cannot be seen on this grid."""
    left = list(plants)
    while True:
        try:
            drawn = generator.make(case, left, **options)
        except NoRoomError as error:
            left.remove(error.plant)  # type: ignore[arg-type]
            continue
        kept = [plant for plant, item in zip(left, drawn.placed, strict=True) if item.is_visible]
        if len(kept) == len(left):
            return tuple(left), drawn
        left = kept


def _phantom(generator: Kind, case: Case, drawn: Drawn, prior: Phantom | None, language: str) -> Phantom:
    from groundglass.synthesis.phantoms.questions import ask
    from groundglass.synthesis.phantoms.wording import write_report

    findings = findings_of(drawn.placed, kind=case.kind, image=drawn.images[0].name)
    when = _day(case)
    report = write_report(
        findings, generator, case.scan("words"), technique=drawn.technique, prior=prior, date=when, language=language
    )
    facts = dict(drawn.facts)
    for finding, item in zip(findings, drawn.placed, strict=True):
        if item.contrast is not None:
            facts[f"{finding.id} contrast to noise"] = round(item.contrast, 2)
    questions = ask(findings, generator, case.scan("questions"), prior=prior)
    return Phantom(
        case.kind, case.seed, case.index, drawn.images, findings, report, questions, drawn.structures, facts,
        drawn.landmarks, case.visit, when, prior,
    )  # fmt: skip


def _day(case: Case) -> str:
    """Visits lie 30 to 180 days apart."""
    start = _FIRST_DAY + timedelta(days=int(case.patient("first day").integers(0, 360)))
    gaps = [int(np.random.default_rng([case.seed, case.index, v, 77]).integers(30, 181)) for v in range(case.visit)]
    return (start + timedelta(days=sum(gaps))).isoformat()
