"""All compartments of a CT that classical methods give, as masks by ontology name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from groundglass.core import GeometryError, Image, Mask
from groundglass.segmentation.ct_body import body, body_coarse
from groundglass.segmentation.ct_grid import CtGrid
from groundglass.segmentation.ct_lungs import lungs
from groundglass.segmentation.ct_tissue import bone, bone_coarse, bright_blood, fat, inside_wall_coarse, lean

# A body of less than this share of the scan is no body: an empty or wrongly scaled image.
_LEAST_BODY = 0.005
# Slices where lung fills more than this share of the body are chest; fat inside the wall is not visceral there.
_CHEST = 0.05
# With this much blood as bright as bone, the two cannot be told apart by attenuation.
_CT_ANGIOGRAPHY_ML = 60.0


@dataclass(frozen=True)
class Compartments:
    """`masks`: ontology name with an optional side before it ("left lung") -> mask on the image's grid.

    `doubts` are sentences about what did not go as it should.
    """

    masks: dict[str, Mask]
    doubts: tuple[str, ...] = ()


def ct_compartments(image: Image, *, progress: Callable[[str], None] = lambda _: None) -> Compartments:
    """Body, lungs, airways, bone, subcutaneous and visceral fat, lean soft tissue of a CT in HU.

    Raises GeometryError when the image is no volume, or holds no body (is not in HU).
    """
    grid = CtGrid.of(image)
    progress("body")
    coarse_body = body_coarse(grid)
    if coarse_body.mean() < _LEAST_BODY or grid.coarse.min() > -200:
        raise GeometryError(
            image.name, "shows no body against air in Hounsfield units", "Check the rescale slope and intercept."
        )
    whole = body(grid, coarse_body)
    found = {"body": whole}
    doubts = []
    progress("lungs and airways")
    chest = lungs(grid, coarse_body)
    for name, part in (("left lung", chest.left), ("right lung", chest.right), ("airways", chest.airways)):
        if part is not None and part.any():
            found[name] = part
    if chest.split_by_force:
        doubts.append("The lungs hang together and were parted at their narrowest place.")
    progress("bone, fat and lean tissue")
    blood = bright_blood(grid) & coarse_body
    skeleton = bone(grid, bone_coarse(grid, coarse_body, blood))
    if float(blood.sum()) * float(grid.coarse_step.prod()) / 1000 < _CT_ANGIOGRAPHY_ML:
        found["bone"] = skeleton
    else:
        doubts.append("Heart and vessels are enhanced as brightly as bone: bone is not measured on this scan.")
    air = (grid.hu < -400) & whole
    adipose = fat(grid, whole, air)
    wall = inside_wall_coarse(grid, coarse_body)
    inside = grid.fine(wall)
    found["subcutaneous fat"] = adipose & ~inside
    lung_air = sum((p for p in (chest.left, chest.right) if p is not None), start=0 * whole)
    share = lung_air.sum(axis=(0, 1)) / whole.sum(axis=(0, 1)).clip(1)
    abdominal = share < _CHEST
    found["visceral fat"] = adipose & inside & abdominal[None, None, :]
    found["lean soft tissue"] = lean(grid, whole, skeleton)
    if whole[0].any() or whole[-1].any() or whole[:, 0].any() or whole[:, -1].any():
        doubts.append("The body is cut by the field of view: body and fat volumes are lower bounds.")
    masks = {name: grid.mask(part) for name, part in found.items()}
    return Compartments({name: mask for name, mask in masks.items() if not mask.is_empty}, tuple(doubts))
