"""A sentence that begins with "this" says more of the finding before it, and nothing where it could mean several."""

from __future__ import annotations

import pytest

from groundglass.text import read_findings, read_report

NODULE = "There is a nodule in the right upper lobe."


@pytest.mark.parametrize(
    ("later", "attributes", "size"),
    [
        ("This is unchanged.", {"change": "unchanged"}, None),
        ("This has increased in size to 12 mm.", {"change": "increased"}, 12.0),
        ("It now measures 12 mm, previously 8 mm.", {"prior long axis": "8 mm"}, 12.0),
        ("It is smaller than on the prior CT.", {"change": "decreased", "compared with": "prior CT"}, None),
        ("The finding is stable.", {"change": "unchanged"}, None),
    ],
)
def test_change_and_size_go_to_the_finding_before(later: str, attributes: dict[str, str], size: float | None) -> None:
    text = f"{NODULE} {later}"
    report = read_report(text)
    (finding,) = report.findings
    assert {a.kind: a.value for a in finding.attributes} == attributes
    assert [m.value for m in finding.measurements] == ([size] if size else [])
    assert finding.where.side == "right"
    span = finding.evidence[2].span
    assert span is not None and text[slice(*span)] == later
    assert [s.findings for s in report.sections[0].sentences] == [("f1",), ("f1",)]


def test_several_sentences_go_on() -> None:
    (finding,) = read_findings(f"{NODULE} This is unchanged. It measures 5 mm.")
    assert finding.attribute("change") == "unchanged"
    assert [m.value for m in finding.measurements] == [5.0]


def test_these_are_all_that_the_sentence_states_but_a_size_has_one_owner() -> None:
    nodule, effusion = read_findings("Nodule on the right and a left effusion, no pneumonia. These are stable.")[:2]
    assert (nodule.attribute("change"), effusion.attribute("change")) == ("unchanged", "unchanged")
    assert not any(f.measurements for f in read_findings("Nodule and effusion. They measure 5 and 8 mm."))


@pytest.mark.parametrize(
    "text",
    [
        "There is a nodule and an effusion. This is unchanged.",
        "No pneumothorax. This is unchanged.",
        f"{NODULE} The examination was difficult. This is unchanged.",
        f"{NODULE}\n\nIMPRESSION: This is unchanged.",
        f"{NODULE} This may be followed.",
        f"{NODULE} This has resolved.",
    ],
)
def test_nothing_is_added_where_it_is_not_plain(text: str) -> None:
    for finding in read_findings(text):
        assert not finding.attributes
        assert len(finding.evidence) == 2


def test_what_is_already_said_stays() -> None:
    (finding,) = read_findings("New 8 mm nodule in the left lower lobe. This measures 12 mm and is unchanged.")
    assert finding.attribute("change") == "new"
    assert [m.value for m in finding.measurements] == [8.0]
