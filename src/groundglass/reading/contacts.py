"""Which vessels and neighbouring organs a lesion touches, and how far round."""

from __future__ import annotations

from groundglass.core import Attribute, Finding, Location, Mask, Measurement, Side, ontology
from groundglass.measurement.circumference import VesselContact, vessel_contact
from groundglass.measurement.location import gap_between
from groundglass.reading.given import Given

# Structures whose contact with a lesion is measured when they have a mask: vessels by degrees, organs by touch.
VESSELS = (
    "aorta", "celiac trunk", "superior mesenteric artery", "common hepatic artery", "portal vein",
    "portal vein and splenic vein", "superior mesenteric vein", "splenic vein", "inferior vena cava",
    "renal artery", "renal vein", "hepatic vein",
)  # fmt: skip
NEIGHBOURS = ("duodenum", "common bile duct", "stomach", "spleen", "colon", "adrenal gland")
_METHOD = "within 2 mm of the wall, mean over 4 mm of vessel"


def contacts_of(given: Given, mask: Mask, key: str, organ: str, number: int) -> tuple[dict[str, float], list[Finding]]:
    """Degrees by vessel (0 without contact), and a finding for each vessel or neighbour that is touched."""
    tree = ontology()
    degrees: dict[str, float] = {}
    found = []
    for (name, side), structure in given.structures.items():
        if name not in VESSELS and name not in NEIGHBOURS:
            continue
        contact = vessel_contact(structure, mask) if name in VESSELS else _touch(structure, mask)
        degrees[name] = max(degrees.get(name, 0.0), contact.degrees)
        if contact.degrees <= 0 or name not in VESSELS:
            continue
        line = (contact.centre,) if contact.centre else ()
        found.append(
            Finding(
                id=f"{key} contact {sided(side, name)}",
                what=tree["vessel contact"],
                where=Location(anatomy=tree[name], side=side, points=line, image=given.image.name),
                attributes=(
                    Attribute("organ", organ),
                    Attribute("number", str(number)),
                    Attribute("extent", "encasement" if contact.encased else "contact"),
                ),
                measurements=(
                    Measurement(tree["vessel contact angle"], contact.degrees, "deg", line, method=_METHOD),
                    Measurement(tree["vessel contact length"], contact.length, "mm", method="along the main branch"),
                ),
                evidence=given.evidence,
            )
        )
    return degrees, found


def _touch(structure: Mask, lesion: Mask) -> VesselContact:
    """Contact with an organ has no angle; any voxel within 2 mm counts as touch (1 degree stands for yes)."""
    depth = gap_between(structure, lesion)
    return VesselContact(1.0 if depth is not None and depth <= 2.0 else 0.0, 0.0)


def sided(side: Side | None, name: str) -> str:
    """ "left kidney", or the bare name."""
    return f"{side} {name}" if side else name
