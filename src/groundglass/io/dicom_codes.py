"""Terms as DICOM codes and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.dataset import Dataset

from groundglass import __version__
from groundglass.core.finding import Side
from groundglass.core.ontology import PRIVATE_SCHEME, ontology
from groundglass.core.term import Term

if TYPE_CHECKING:
    from highdicom.sr.coding import CodedConcept

# CID 245 "Laterality with Median".
SIDES: dict[Side, Term] = {
    "left": Term("7771000", "SCT", "Left"),
    "right": Term("24028007", "SCT", "Right"),
    "bilateral": Term("51440002", "SCT", "Bilateral"),
    "midline": Term("130290", "DCM", "Median"),
}
# CID 7150 "Segmentation Property Categories", by the kind of the ontology's entry.
CATEGORIES = {
    "anatomy": Term("91723000", "SCT", "Anatomical Structure"),
    "finding": Term("49755003", "SCT", "Morphologically Abnormal Structure"),
    "device": Term("260787004", "SCT", "Physical object"),
}
MAX_CODE, MAX_MEANING = 16, 64


def concept(term: Term) -> CodedConcept:
    """The code sequence item of a term; a private code of more than 16 characters is a long code value."""
    from highdicom.sr.coding import CodedConcept

    item = CodedConcept(term.code, term.scheme, shortened(term.name, MAX_MEANING))
    if "CodeValue" in item and len(term.code.encode("utf-8")) > MAX_CODE:
        item.LongCodeValue = item.CodeValue
        del item.CodeValue
    return item


def shortened(text: str, size: int) -> str:
    """`text` cut to `size` bytes of UTF-8: the standard counts characters, but validators count bytes."""
    return text.encode("utf-8")[:size].decode("utf-8", errors="ignore")


def term_of(item: Dataset) -> Term:
    """The term of a code sequence item: the ontology's own where it knows the code."""
    code = str(item.get("CodeValue") or item.get("LongCodeValue") or item.get("URNCodeValue") or "")
    scheme = str(item.get("CodingSchemeDesignator", ""))
    known = ontology().of_code(code, scheme)
    return known or Term(code, scheme, str(item.get("CodeMeaning", "")))


def side_of(item: Dataset) -> Side | None:
    """The side that a laterality code names, else None."""
    wanted = term_of(item)
    return next((side for side, term in SIDES.items() if term == wanted), None)


def kind_of_term(term: Term) -> str:
    """anatomy, finding or device: what a segment of this term shows."""
    entry = ontology().find(term.name)
    kind = entry.kind if entry is not None and entry.term == term else "finding"
    return kind if kind in CATEGORIES else "finding"


def private_scheme() -> Dataset:
    """The item of the Coding Scheme Identification Sequence that explains the private codes."""
    from highdicom.coding_schemes import CodingSchemeIdentificationItem

    return CodingSchemeIdentificationItem(
        PRIVATE_SCHEME, name="groundglass ontology", version=__version__, responsible_organization="groundglass"
    )
