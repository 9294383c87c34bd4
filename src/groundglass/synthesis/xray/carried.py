"""Findings of a CT on its radiograph: their shadows, boxes, and how thick they lie in the beam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Evidence, Finding, Line, Location, Mask, Measurement, ontology
from groundglass.synthesis.xray.siddon import path_lengths
from groundglass.synthesis.xray.view import XrayView

THICKNESS = "thickness along the beam"


@dataclass(frozen=True, eq=False)
class ProjectedFinding:
    """`finding` on the radiograph (mask, box and thickness there), and `lengths` (rows, columns) in mm of path.

    `is_cut`: its shadow reaches the edge of the field, so that a part may lie outside.
    """

    finding: Finding
    lengths: NDArray[np.float32]
    is_cut: bool


def carry_findings(findings: Sequence[Finding], view: XrayView, *, image: str) -> tuple[ProjectedFinding, ...]:
    """The findings with a mask (on any grid of the view's world), projected; `image` names the radiograph.

    A shadow wholly outside of the field leaves its finding out: it was not seen, which is not the same as absent.
    The measurements of the CT stay behind, because their geometry has no meaning here.
    """
    carried = []
    for finding in findings:
        if finding.where.mask is None or finding.where.mask.is_empty:
            continue
        lengths = path_lengths(finding.where.mask, view)
        shadow = Mask.of(lengths > 0, view.affine)
        if shadow.is_empty:
            continue
        where = Location(finding.where.anatomy, finding.where.side, shadow, shadow.box, image=image)
        row, column = np.unravel_index(int(lengths.argmax()), lengths.shape)
        deepest = Measurement(
            ontology()[THICKNESS], float(lengths.max()), "mm", (Line(((float(row), float(column)),), "thickest"),),
            method="longest path of a ray inside the mask",
        )  # fmt: skip
        source = Evidence("rule", "projection", detail=f"projected from {finding.where.image or 'a CT mask'}")
        projected = replace(finding, where=where, measurements=(deepest,), evidence=(*finding.evidence, source))
        carried.append(ProjectedFinding(projected, lengths, touches_edge(lengths > 0)))
    return tuple(carried)


def touches_edge(mask: NDArray[np.bool_]) -> bool:
    """True when a pixel at the border of the picture is set."""
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())
