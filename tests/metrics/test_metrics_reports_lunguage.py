"""LunguageScore and the graph F1 against slow readings of their definitions, and what they must keep."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundglass.core import ConfigurationError, InputError, Term
from groundglass.metrics.reports import CharacterEncoder, ExactEncoder, LunguageRow, graph_f1
from groundglass.metrics.reports.graph import ReportGraph, report_graph
from groundglass.metrics.reports.lunguage import RELATION_WEIGHTS, lunguage_score, lunguage_sequence_score
from groundglass.metrics.reports.lunguage_rows import lunguage_rows
from groundglass.metrics.reports.statement import Statement

_WORDS = ("left", "right", "mild", "severe")
_ROWS = st.lists(
    st.builds(
        LunguageRow,
        st.sampled_from(("effusion", "nodule", "edema")),
        st.dictionaries(st.sampled_from(tuple(RELATION_WEIGHTS)), st.sampled_from(_WORDS), max_size=5),
        st.integers(1, 2),
        st.sampled_from(("effusion left", "nodule right")),
        st.integers(1, 2),
    ),
    max_size=4,
)


def _slow(candidate: list[LunguageRow], reference: list[LunguageRow], *, sequence: bool) -> tuple[float, float]:
    """Precision and recall by trying every assignment; the encoder is equality."""
    if not candidate or not reference:
        return (1.0, 1.0) if not candidate and not reference else (0.0, 0.0)

    def match(a: LunguageRow, b: LunguageRow) -> float:
        semantic = float(a.group == b.group) if sequence else float(a.phrase == b.phrase)
        names = set(a.relations) | set(b.relations)
        norm = sum(RELATION_WEIGHTS[name] for name in names)
        same = sum(RELATION_WEIGHTS[n] for n in names if a.relations.get(n) == b.relations.get(n))
        time = ((a.sequence == b.sequence) + (a.episode == b.episode)) / 2 if sequence else 1.0
        return semantic * (same / norm if norm else 0.0) * time

    table = np.array([[match(a, b) for b in reference] for a in candidate])
    wide = table if len(candidate) <= len(reference) else table.T
    sums = [sum(wide[i, j] for i, j in enumerate(order)) for order in permutations(range(wide.shape[1]), len(wide))]
    return max(sums), float(len(wide))


@settings(max_examples=120, deadline=None)
@given(_ROWS, _ROWS, st.booleans())
def test_matched_score_is_that_of_the_best_assignment(
    candidate: list[LunguageRow], reference: list[LunguageRow], sequence: bool
) -> None:
    score = (lunguage_sequence_score if sequence else lunguage_score)(candidate, reference, [ExactEncoder()])
    hits, _ = _slow(candidate, reference, sequence=sequence)
    if not candidate or not reference:
        assert score.f1 == hits
        return
    assert sum(m.score for m in score.matches) == pytest.approx(hits)
    if len(candidate) == len(reference):
        assert score.precision == pytest.approx(hits / len(candidate))
        assert score.recall == pytest.approx(hits / len(reference))


def _row(entity: str, **relations: str) -> LunguageRow:
    return LunguageRow(entity, {"dx_status": "positive", **relations})


def test_identical_tables_score_one_in_any_order() -> None:
    rows = [_row("effusion", location="left"), _row("edema", severity="mild"), _row("nodule", measurement="5 mm")]
    assert lunguage_score(rows, rows).f1 == pytest.approx(1)
    assert lunguage_score(rows[::-1], rows).f1 == pytest.approx(1)
    assert lunguage_score([], rows).f1 == lunguage_score(rows, []).f1 == 0
    assert lunguage_score([], []).f1 == 1


def test_one_flipped_status_costs_what_is_calculated_by_hand() -> None:
    # n rows that only have a status and a place: a flip costs one row 0.5 of its 0.7 of weight.
    rows = [_row(f"finding {i}", location="left") for i in range(5)]
    flipped = [LunguageRow("finding 0", {"dx_status": "negative", "location": "left"}), *rows[1:]]
    score = lunguage_score(flipped, rows, [ExactEncoder()])
    assert score.f1 == pytest.approx((4 + 0.2 / 0.7) / 5, abs=1e-9)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 9, 40])
@pytest.mark.parametrize(
    "others",
    [
        {},
        {"dx_certainty": "definitive"},
        {"location": "left"},
        {"location": "left", "severity": "mild"},
        {"location": "left", "severity": "mild", "worsened": "larger", "onset": "new"},
    ],
)
def test_a_row_left_out_costs_less_than_a_denied_one_unless_the_denied_row_keeps_nearly_half_its_weight(
    n: int, others: dict[str, str]
) -> None:
    """Closed form of the paper's score: 2(n - 1)/(2n - 1) against (n - 1 + q)/n; q is the share that still matches."""
    rows = [_row(f"finding {i}", **others) for i in range(n)]
    denied = [LunguageRow("finding 0", {"dx_status": "negative", **others}), *rows[1:]]
    kept = sum(RELATION_WEIGHTS[name] for name in others)
    q = kept / (kept + 0.5)
    without = lunguage_score(rows[1:], rows, [ExactEncoder()]).f1
    flipped = lunguage_score(denied, rows, [ExactEncoder()]).f1
    assert without == pytest.approx(2 * (n - 1) / (2 * n - 1), abs=1e-12)
    assert flipped == pytest.approx((n - 1 + q) / n, abs=1e-12)
    if n > 1 or others:  # else both score 0
        assert (without < flipped) == (q > (n - 1) / (2 * n - 1))


def test_swapping_swaps_precision_and_recall_and_rows_left_over_are_forgiven_by_their_best_match() -> None:
    rows = [_row("effusion", location="left"), _row("edema")]
    more = [*rows, _row("effusion", location="left")]
    score, back = lunguage_score(more, rows, [ExactEncoder()]), lunguage_score(rows, more, [ExactEncoder()])
    assert (score.precision, score.recall) == (back.recall, back.precision)
    assert score.precision == 1  # the third row is as good as a matched one: read `ratio`
    assert score.ratio == 1.5


def test_order_of_studies_counts_only_in_a_sequence() -> None:
    rows = [LunguageRow("effusion", {"dx_status": "positive"}, i, "effusion", 1) for i in (1, 2)]
    shuffled = [LunguageRow("effusion", {"dx_status": "positive"}, i, "effusion", 1) for i in (3, 4)]
    assert lunguage_score(shuffled, rows).f1 == pytest.approx(1)
    assert lunguage_sequence_score(rows, rows).f1 == pytest.approx(1)
    assert lunguage_sequence_score(shuffled, rows).f1 == pytest.approx(0.5)


def test_rows_and_encoders_refuse_what_they_do_not_know() -> None:
    with pytest.raises(InputError, match="colour"):
        LunguageRow("effusion", {"colour": "red"})
    with pytest.raises(InputError, match="no entity"):
        LunguageRow(" ")
    with pytest.raises(ConfigurationError, match="room for 2"):
        ExactEncoder(2)(["a", "b", "c"])


def test_character_encoder_is_deterministic_and_sees_spelling() -> None:
    encode = CharacterEncoder()
    vectors = encode(["pleural effusion", "Pleural  Effusion", "pleural effusions", "cardiomegaly", ""])
    near = vectors @ vectors.T
    assert near[0, 1] == pytest.approx(1)
    assert near[0, 2] > 0.8 > 0.3 > near[0, 3]
    assert not vectors[4].any()
    np.testing.assert_array_equal(CharacterEncoder()(["cardiomegaly"])[0], vectors[3])


_EFFUSION, _NODULE, _LOBE = (Term(name, "99TEST", name) for name in ("effusion", "nodule", "upper lobe"))


def test_rows_and_graph_say_what_a_statement_says() -> None:
    statement = Statement(
        _NODULE, True, certain=False, sides=frozenset({"left"}), place=_LOBE, course="increased",
        sizes=(("length", 12.0),), traits=frozenset({("margin", "spiculated")}),
    )  # fmt: skip
    (row,) = lunguage_rows([statement])
    assert row.relations == {
        "dx_status": "positive", "dx_certainty": "tentative", "location": "left upper lobe", "measurement": "12 mm",
        "morphology": "spiculated", "worsened": "increased",
    }  # fmt: skip
    graph = report_graph([statement])
    nodule = ("nodule", "observation: uncertain")
    assert (nodule, "located at", ("left upper lobe", "anatomy")) in graph.relations
    assert {source[0] for source, kind, _ in graph.relations if kind == "modify"} == {
        "12 mm",
        "increased",
        "spiculated",
    }
    assert len(graph.entities) == 5


_ENTITY = st.tuples(st.sampled_from(("effusion", "lung", "mild")), st.sampled_from(("present", "absent")))


@st.composite
def _graphs(draw: st.DrawFn) -> ReportGraph:
    entities = draw(st.frozensets(_ENTITY, max_size=5))
    if not entities:
        return ReportGraph(frozenset(), frozenset())
    one = st.sampled_from(sorted(entities))
    return ReportGraph(
        entities, draw(st.frozensets(st.tuples(one, st.sampled_from(("modify", "at")), one), max_size=4))
    )


@settings(max_examples=150, deadline=None)
@given(_graphs(), _graphs())
def test_graph_f1_follows_the_definitions_of_its_variants(candidate: ReportGraph, reference: ReportGraph) -> None:
    def lists(graph: ReportGraph) -> tuple[set[object], set[object], set[object]]:
        partial, complete = set(), set()
        for entity in graph.entities:
            own = [(kind, target) for source, kind, target in graph.relations if source == entity]
            partial.add((*entity, True) if own else entity)
            complete |= {(*entity, kind, target) for kind, target in own} or {entity}
        return set(graph.entities), partial, complete

    def f1(guess: set[object], truth: set[object]) -> float:
        if not guess and not truth:
            return 1.0
        hit = len(guess & truth)
        precision, recall = hit / max(len(guess), 1), hit / max(len(truth), 1)
        return 2 * precision * recall / (precision + recall) if hit else 0.0

    result = graph_f1(candidate, reference)
    expected = [f1(a, b) for a, b in zip(lists(candidate), lists(reference), strict=True)]
    assert [result.simple, result.partial, result.complete] == pytest.approx(expected)
    assert result.entity == result.simple
    assert result.relation == pytest.approx(f1(set(candidate.relations), set(reference.relations)))
    assert graph_f1(candidate, candidate).combined == 1
