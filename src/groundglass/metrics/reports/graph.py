"""Entities and relations of a report, made from its statements, and their F1 in the variants of RadGraph.

A finding is an observation (definitely present, definitely absent, uncertain); its place with its side is an anatomy
that it is `located at`; grade, course, size and traits are observations that `modify` it. The names are those of the
ontology, not words of the text: a paraphrase gives the same graph. That is where this differs from the RadGraph model
(Jain et al., arXiv 2106.14463), whose numbers it does not claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass

from groundglass.metrics.reports.statement import BOTH_SIDES, Statement
from groundglass.metrics.reports.wording import size_words

ANATOMY = "anatomy"
PRESENT, ABSENT, UNCERTAIN = (f"observation: {how}" for how in ("definitely present", "definitely absent", "uncertain"))
LOCATED_AT, MODIFY = "located at", "modify"

Entity = tuple[str, str]
"""Name and label."""
Relation = tuple[Entity, str, Entity]
"""From, kind, to."""


@dataclass(frozen=True, slots=True)
class ReportGraph:
    """Sets, as RadGraph's scores compare them."""

    entities: frozenset[Entity]
    relations: frozenset[Relation]


@dataclass(frozen=True, slots=True)
class GraphF1:
    """F1 in [0, 1]. `simple`: entities; `partial`: entities with whether they have a relation; `complete`: each
    entity's relations with their targets, and entities without any; `entity`, `relation` and their mean `combined`
    are those that RadCliQ uses. Two graphs without such items agree (1; the release gives 0)."""

    simple: float
    partial: float
    complete: float
    entity: float
    relation: float

    @property
    def combined(self) -> float:
        return (self.entity + self.relation) / 2


def report_graph(statements: Iterable[Statement]) -> ReportGraph:
    """The graph of what a report states (see `RuleJudge.statements`)."""
    entities: set[Entity] = set()
    relations: set[Relation] = set()
    for statement in statements:
        observation = (statement.what.name, _label(statement))
        entities.add(observation)
        for place in _places(statement):
            entities.add(place)
            relations.add((observation, LOCATED_AT, place))
        for word in _modifiers(statement):
            modifier = (word, observation[1])
            entities.add(modifier)
            relations.add((modifier, MODIFY, observation))
    return ReportGraph(frozenset(entities), frozenset(relations))


def graph_f1(candidate: ReportGraph, reference: ReportGraph) -> GraphF1:
    """F1 of two graphs in every variant."""
    simple = _f1(candidate.entities, reference.entities)
    return GraphF1(
        simple=simple,
        partial=_f1(_flagged(candidate), _flagged(reference)),
        complete=_f1(_complete(candidate), _complete(reference)),
        entity=simple,
        relation=_f1(candidate.relations, reference.relations),
    )


def _label(statement: Statement) -> str:
    if not statement.certain:
        return UNCERTAIN
    return PRESENT if statement.present else ABSENT


def _places(statement: Statement) -> list[Entity]:
    """One anatomy per side; a place without a side, a side without a place."""
    place = statement.place.name if statement.place else statement.tip or ""
    names = [f"{side} {place}".strip() for side in sorted(statement.sides & BOTH_SIDES)] or [place]
    return [(name, ANATOMY) for name in names if name]


def _modifiers(statement: Statement) -> list[str]:
    course = [statement.course] if statement.course else []
    sizes = [size_words(statement)] if statement.sizes else []
    return [*sorted(statement.grades), *course, *sizes, *(value for _, value in sorted(statement.traits))]


def _flagged(graph: ReportGraph) -> set[tuple[Entity, bool]]:
    sources = {source for source, _, _ in graph.relations}
    return {(entity, entity in sources) for entity in graph.entities}


def _complete(graph: ReportGraph) -> set[Relation | Entity]:
    sources = {source for source, _, _ in graph.relations}
    return {*graph.relations, *(entity for entity in graph.entities if entity not in sources)}


def _f1(candidate: Set[object], reference: Set[object]) -> float:
    total = len(candidate) + len(reference)
    return 2 * len(candidate & reference) / total if total else 1.0
