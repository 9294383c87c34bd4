"""The ontology: codes are those that DICOM publishes, and the tree is one."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest
from pydicom.sr._concepts_dict import concepts

from groundglass.core import ConfigurationError, Term, ontology
from groundglass.core.ontology import PRIVATE_SCHEME, Entry, Ontology, read_entries


def rows() -> list[tuple[str, dict[str, Any]]]:
    folder = resources.files("groundglass.core") / "data" / "ontology"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)
    return [(f.name, row) for f in files for row in json.loads(f.read_text(encoding="utf-8"))]


def published() -> dict[tuple[str, str], set[str]]:
    """(scheme, code) -> meanings in DICOM's context groups, as pydicom carries them."""
    found: dict[tuple[str, str], set[str]] = {}
    for scheme, keywords in concepts.items():
        for codes in keywords.values():
            for code, (meaning, _) in codes.items():
                found.setdefault((scheme, code), set()).add(meaning)
    return found


def test_every_code_is_published_by_dicom() -> None:
    known = published()
    missing = [
        (file, row["name"], row.get("scheme"), row["code"])
        for file, row in rows()
        if row.get("scheme", PRIVATE_SCHEME) != PRIVATE_SCHEME and (row["scheme"], row["code"]) not in known
    ]
    assert missing == []


def test_names_mean_what_their_codes_mean() -> None:
    """The code's published meaning is the name or one of the synonyms; or shares a word with them."""
    known = published()
    strange = []
    for file, row in rows():
        meanings = known.get((row.get("scheme", ""), row.get("code", "")))
        if not meanings:
            continue
        ours = {w for name in (row["name"], *row.get("synonyms", {}).get("en", ())) for w in words(name)}
        if not any(ours & words(meaning) for meaning in meanings):
            strange.append((file, row["name"], sorted(meanings)))
    assert strange == []


def words(text: str) -> set[str]:
    plain = "".join(c if c.isalnum() else " " for c in text.casefold())
    return {w.rstrip("s") for w in plain.split() if w not in {"of", "the", "in", "structure", "and"}}


def test_private_terms_have_no_published_twin() -> None:
    """A concept whose exact name DICOM publishes in SCT or DCM has that code."""
    names: dict[str, set[tuple[str, str]]] = {}
    for (scheme, code), meanings in published().items():
        if scheme in ("SCT", "DCM"):
            for meaning in meanings:
                names.setdefault(meaning.casefold(), set()).add((scheme, code))
    twins = [
        (file, row["name"], sorted(names[row["name"].casefold()]))
        for file, row in rows()
        if row.get("scheme", PRIVATE_SCHEME) == PRIVATE_SCHEME and row["name"].casefold() in names
    ]
    assert twins == []


def test_no_code_and_no_name_twice() -> None:
    codes: dict[tuple[str, str], str] = {}
    for entry in ontology():
        key = (entry.term.scheme, entry.term.code)
        assert key not in codes, f"{entry.term.name} and {codes.get(key)} share {key}"
        codes[key] = entry.term.name
    names = [row["name"].replace("_", " ").casefold() for _, row in rows()]
    assert len(names) == len(set(names))


def test_synonyms_do_not_name_another_term() -> None:
    names = {entry.term.name.casefold(): entry for entry in ontology()}
    clashes = [
        (entry.term.name, word)
        for entry in ontology()
        for synonyms in entry.synonyms.values()
        for word in synonyms
        if names.get(word.casefold(), entry) is not entry
    ]
    assert clashes == []


def test_the_tree_has_known_parents_and_no_cycle() -> None:
    tree = ontology()
    for entry in tree:
        above = tree.ancestors(entry.term.name)
        assert entry.term not in above, f"{entry.term.name} is its own ancestor"
        for parent in entry.parents:
            assert tree.entry(parent).kind == entry.kind, f"{entry.term.name} ({entry.kind}) under {parent}"


def test_fields_are_known_and_names_are_lower_case() -> None:
    allowed = {"name", "code", "scheme", "kind", "parents", "synonyms", "side"}
    for file, row in rows():
        assert set(row) <= allowed, (file, row)
        assert ("code" in row) == ("scheme" in row), (file, row["name"])
        assert row["name"] == " ".join(row["name"].split())


def test_look_up() -> None:
    tree = ontology()
    assert tree["Longest_Diameter"] is tree["long axis"]
    assert tree.of_code("39607008", "SCT") == tree["lung"]
    assert tree.of_code("0", "SCT") is None
    assert "LUNG" in tree
    assert "unobtainium" not in tree
    assert tree.is_a("lung", "anatomical structure")
    assert not tree.is_a("anatomical structure", "lung")
    assert tree["lung"] in tree.children("chest")
    assert Term("39607008", "SCT", "another name") == tree["lung"]
    with pytest.raises(ConfigurationError, match="Did you mean"):
        _ = tree["lungg"]


def test_bad_entries_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="unknown kind"):
        read_entries('[{"name": "a", "kind": "planet"}]', "x.json")
    (entry,) = read_entries('[{"name": "Odd thing", "kind": "finding"}]', "x.json")
    assert entry.term == Term("odd-thing", PRIVATE_SCHEME, "Odd thing")
    with pytest.raises(ConfigurationError, match="defined twice"):
        Ontology([entry, Entry(Term("1", "X", "ODD_thing"), "finding")])
    with pytest.raises(ConfigurationError, match="unknown parent"):
        Ontology([Entry(Term("1", "X", "a"), "finding", parents=("b",))])


def test_modalities_are_those_of_dicom() -> None:
    from pydicom.sr.codedict import codes

    ours = {e.term.code for e in ontology() if e.kind == "modality" and e.term.scheme == "DCM"}
    assert {"CT", "MR", "DX", "CR", "PT", "US", "OP", "SM", "ES", "MG", "XC"} <= ours
    published_codes = {getattr(codes.cid29, name).value for name in codes.cid29.dir()}
    assert ours <= published_codes
