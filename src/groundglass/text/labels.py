"""Label sets: which findings of a report make which label. A set is a data file, a label a rule over ontology terms.

A rule holds `any` (these terms and narrower ones), `exact` (these terms only), `not` (these and narrower ones never),
or `none of` = "all" with `except` (present when no other label but the excepted ones is present or uncertain).
A label's value is that of its strongest finding: present before uncertain before absent; None when nothing speaks of
it.
Findings that are historical, hypothetical or another person's, and what only the indication names, do not count.

Doubtful values follow a policy, as in CheXpert (J. Irvin et al., AAAI 2019; 33: 590): "keep" them, count all as
present ("ones") or as absent ("zeros"), leave them out ("ignore" gives None), or count as present what the report calls
probable or one of two alternatives, and the rest as absent ("probable").

Beside the published sets there is `findings`: a label for every finding and device of the ontology. RadLex, whose terms
some archives use for this, is under a licence of its own and is not shipped; our names carry the codes that DICOM
publishes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Literal, NamedTuple, get_args

from groundglass.core import Finding, Report
from groundglass.core.errors import ConfigurationError
from groundglass.core.finding import Status
from groundglass.text.lexicon import lexicon
from groundglass.text.plans import LEANING
from groundglass.text.reading import read_report

EVERY_FINDING = "findings"
"""The set with a label for every finding and device of the ontology."""

Policy = Literal["keep", "ones", "zeros", "ignore", "probable"]

_RANK: dict[Status | None, int] = {None: 0, "absent": 1, "uncertain": 2, "present": 3}
_NOT_LABELLED = frozenset({"indication", "technique", "comparison"})


class Label(NamedTuple):
    """A label's value and the findings that gave it (none for a label like "No Finding")."""

    value: Status | None
    findings: tuple[Finding, ...] = ()

    @property
    def number(self) -> float | None:
        """CheXpert's coding: 1 present, 0 absent, -1 uncertain, None not mentioned."""
        return None if self.value is None else {"present": 1.0, "absent": 0.0, "uncertain": -1.0}[self.value]


@dataclass(frozen=True, slots=True)
class Rule:
    """The terms of one label."""

    any: frozenset[str]
    exact: frozenset[str]
    never: frozenset[str]
    excepted: frozenset[str] | None = None

    def holds(self, lineage: tuple[str, ...]) -> bool:
        """Whether a term with this lineage (its name, then its broader terms) makes the label."""
        if lineage[0] in self.exact:
            return True
        return not self.any.isdisjoint(lineage) and self.never.isdisjoint(lineage)


@dataclass(frozen=True, slots=True)
class LabelSet:
    """A named set of labels with its rules, its source and its usual policy for doubtful values."""

    name: str
    source: str
    uncertain: Policy
    rules: Mapping[str, Rule]
    known: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)
    without: tuple[tuple[str, frozenset[str]], ...] = field(init=False, compare=False, repr=False)
    """Labels that hold when no other does ("No Finding"), each with the others that are not asked."""

    def __post_init__(self) -> None:
        rows = [(name, rule.excepted) for name, rule in self.rules.items() if rule.excepted is not None]
        names = frozenset(name for name, _ in rows)
        object.__setattr__(self, "without", tuple((name, names | excepted) for name, excepted in rows))

    def names_of(self, lineage: tuple[str, ...]) -> tuple[str, ...]:
        """The labels that a term with this lineage makes; remembered, since reports name few terms again and again."""
        term = lineage[0]
        if term not in self.known:
            self.known[term] = tuple(name for name, rule in self.rules.items() if rule.holds(lineage))
        return self.known[term]


def label_sets() -> tuple[str, ...]:
    """Names of the published label sets that ship; `findings` is another (see above)."""
    folder = resources.files("groundglass.text") / "data" / "label_sets"
    return tuple(sorted(file.name[:-5] for file in folder.iterdir() if file.name.endswith(".json")))


@cache
def label_set(name: str) -> LabelSet:
    """The label set of this name. Raises ConfigurationError when there is none or a rule names an unknown term."""
    if name == EVERY_FINDING:
        return _every_finding()
    if name == "radlex":
        raise ConfigurationError(
            name, "is under a licence of its own and does not ship", f"Use {EVERY_FINDING!r}: names with DICOM's codes."
        )
    if name not in label_sets():
        known = ", ".join((*label_sets(), EVERY_FINDING))
        raise ConfigurationError(name, "is not a label set", f"Use one of {known}.")
    file = resources.files("groundglass.text") / "data" / "label_sets" / f"{name}.json"
    return read_label_set(json.loads(file.read_text(encoding="utf-8")))


def _every_finding() -> LabelSet:
    tree = lexicon("en").tree
    names = [entry.term.name for entry in tree if entry.kind in ("finding", "device")]
    rules = {name: Rule(frozenset({name}), frozenset(), frozenset()) for name in names}
    return LabelSet(EVERY_FINDING, "the ontology of groundglass", "keep", rules)


def read_label_set(data: Mapping[str, Any]) -> LabelSet:
    """A label set from the content of a data file (a user's own, too)."""
    policy = data.get("uncertain", "keep")
    if policy not in get_args(Policy):
        raise ConfigurationError(policy, "is not a policy for doubtful values", f"Use one of {get_args(Policy)}.")
    tree = lexicon("en").tree
    rules = {}
    for label, row in data["labels"].items():
        for term in (*row.get("any", ()), *row.get("exact", ()), *row.get("not", ())):
            tree.entry(term)
        excepted = frozenset(row.get("except", ())) if "none of" in row else None
        allowed, exact, never = (frozenset(row.get(key, ())) for key in ("any", "exact", "not"))
        rules[label] = Rule(allowed, exact, never, excepted)
    return LabelSet(data["name"], data.get("source", ""), policy, rules)


def label(
    report: str | Report,
    labels: str | LabelSet = "chexpert14",
    *,
    uncertain: Policy | None = None,
    language: str = "en",
) -> dict[str, Label]:
    """Every label of the set for one report, with its evidence. `uncertain` overrides the set's usual policy."""
    chosen = label_set(labels) if isinstance(labels, str) else labels
    policy = uncertain or chosen.uncertain
    read = read_report(report, language=language) if isinstance(report, str) else report
    words = lexicon(read.language)
    found: dict[str, list[Finding]] = {name: [] for name in chosen.rules}
    for finding in read.findings:
        if not _counts(finding):
            continue
        lineage = words.ancestors(finding.what.name)
        for name in chosen.names_of(lineage):
            found[name].append(finding)
    values = {name: _strongest(rows) for name, rows in found.items()}
    statuses = {name: value.value for name, value in values.items()}
    values.update({name: Label(value) for name, value in without_findings(chosen, statuses).items()})
    return {name: _decided(value, policy) for name, value in values.items()}


def label_reports(
    reports: Iterable[str],
    labels: str | LabelSet = "chexpert14",
    *,
    uncertain: Policy | None = None,
    language: str = "en",
) -> Iterator[dict[str, Label]]:
    """`label` of each report, lazily and in order."""
    chosen = label_set(labels) if isinstance(labels, str) else labels
    for report in reports:
        yield label(report, chosen, uncertain=uncertain, language=language)


def _counts(finding: Finding) -> bool:
    if finding.evidence and finding.evidence[0].name in _NOT_LABELLED:
        return False
    return finding.attribute("assertion") is None


def _strongest(findings: list[Finding]) -> Label:
    best = max((finding.status for finding in findings), key=_RANK.__getitem__, default=None)
    return Label(best, tuple(finding for finding in findings if finding.status == best))


def without_findings(chosen: LabelSet, values: Mapping[str, Status | None]) -> dict[str, Status]:
    """The labels that hold when no other does ("No Finding"), given the others' values."""
    found: dict[str, Status] = {}
    for name, excepted in chosen.without:
        others = (value for other, value in values.items() if other not in excepted)
        found[name] = "absent" if any(_RANK[value] > 1 for value in others) else "present"
    return found


def decide(value: Status | None, policy: Policy, *, leans: bool) -> Status | None:
    """A value under a policy; `leans` when the report calls it probable or one of two alternatives."""
    if value != "uncertain" or policy == "keep":
        return value
    if policy == "ignore":
        return None
    return "present" if policy == "ones" or (policy == "probable" and leans) else "absent"


def _decided(value: Label, policy: Policy) -> Label:
    leans = any(f.attribute("certainty") in LEANING for f in value.findings)
    return Label(decide(value.value, policy, leans=leans), value.findings)
