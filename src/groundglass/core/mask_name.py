"""Names of given masks: `liver`, `left kidney`, `kidney_left`, `liver_lesion`, `Couinaud hepatic segment V`."""

from __future__ import annotations

from dataclasses import dataclass

from groundglass.core.errors import ConfigurationError
from groundglass.core.finding import Side
from groundglass.core.ontology import ontology
from groundglass.core.term import Term

_SIDES: tuple[Side, ...] = ("left", "right")

# Named tumours have an organ that their name does not say.
_ORGANS = {
    "hepatocellular carcinoma": "liver",
    "renal cell carcinoma": "kidney",
    "pancreatic ductal adenocarcinoma": "pancreas",
    "pancreatic neuroendocrine tumor": "pancreas",
}


@dataclass(frozen=True, slots=True)
class MaskName:
    """The concept of a mask, its side where the name says one, and the organ when it is a lesion of one."""

    term: Term
    side: Side | None = None
    organ: Term | None = None

    @property
    def is_lesion(self) -> bool:
        """True when the mask holds lesions rather than an anatomical structure."""
        return ontology().entry(self.term.name).kind == "finding"


def mask_name(text: str) -> MaskName:
    """The meaning of a mask's name. Raises ConfigurationError when it is no term of the ontology."""
    tree = ontology()
    words = text.replace("_", " ").split()
    if tree.find(text) is not None:
        return _named(tree[text], None)
    for side in _SIDES:
        # "left kidney", "kidney_left" and "kidney left lesion" alike.
        rest = " ".join(word for word in words if word.casefold() != side)
        if rest and len(rest.split()) < len(words) and tree.find(rest) is not None:
            return _named(tree[rest], side)
    raise ConfigurationError(
        text, "is not a term of the ontology", "Name the mask by a term, e.g. liver or liver_lesion."
    )


def _named(term: Term, side: Side | None) -> MaskName:
    tree = ontology()
    organ = None
    if tree.entry(term.name).kind == "finding":
        name = _ORGANS.get(term.name) or term.name.removesuffix(" lesion").removesuffix(" cyst")
        organ = tree[name] if name != term.name and tree.find(name) is not None else None
    return MaskName(term, side, organ)
