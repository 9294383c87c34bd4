"""The radiograph parser's wiring, with a phantom's exact masks in the place of the networks."""

from __future__ import annotations

import numpy as np
import pytest

from groundglass.classification import RadiographView, Turn
from groundglass.core import Acquisition, Image, Mask, ModelCitation, Study, from_dict, ontology, to_dict
from groundglass.measurement.radiographic import RadiographMasks, measure_radiograph
from groundglass.reading.parser import Request
from groundglass.reading.radiograph import NOT_LOOKED_FOR, RadiographParser, projection_of
from groundglass.reading.upright import Upright
from groundglass.segmentation import RadiographAnatomy, RadiographQuality
from groundglass.synthesis.schematic_chest import SchematicChest

SIZE = 300
UPRIGHT = Turn()
OTHER = {"left": "right", "right": "left"}


def swapped(name: str) -> str:
    first, _, rest = name.partition(" ")
    return f"{OTHER[first]} {rest}" if first in OTHER else name


def picture(turn: Turn, *, view: str = "PA", spacing: float | None = None, crop: int = 0) -> Image:
    """A grey picture that lies as `turn` says; its pixels do not matter, the masks come from the drawing."""
    array = turn.apply(np.linspace(0, 1, SIZE * (SIZE - crop), dtype=np.float32).reshape(SIZE - crop, SIZE))
    affine = np.diag([spacing, spacing, 1.0, 1.0]) if spacing else None
    return Image.of(array, affine, name="film", modality="DX", acquisition=Acquisition(body_part="chest", view=view))


def parser(chest: SchematicChest, turn: Turn = UPRIGHT, *, usable: bool = True, view: str = "PA", crop: int = 0):
    """A parser whose networks are right: the view is `turn`, the masks are the drawing's on the turned grid."""
    seen = RadiographView("frontal", view, 90 * turn.quarters, turn.mirrored, False, {"view": 0.99, "state": 0.98})

    def segment(image: Image, given: RadiographView) -> RadiographAnatomy:
        masks = {}
        for name, mask in chest.draw(SIZE).items():
            named = swapped(name) if given.mirrored else name
            masks[named] = Mask.of(given.turn.apply(mask[: SIZE - crop]), image.affine)
        return RadiographAnatomy(masks, RadiographQuality(0.97, {}, usable), given, ())

    cite = lambda name: ModelCitation(name, "test")  # noqa: E731
    return RadiographParser(recognise=lambda _image: seen, segment=segment, cite=cite)


def read(chest: SchematicChest, turn: Turn = UPRIGHT, *, header: str = "PA", **facts):
    image = picture(turn, view=header, spacing=facts.pop("spacing", None), crop=facts.get("crop", 0))
    return image, parser(chest, turn, **facts).read([image], Request(Study((image,))))


def by_name(reading, name: str):
    return next(f for f in reading.findings if f.what.name == name)


def test_findings_follow_the_limits():
    _, reading = read(SchematicChest(cardiothoracic_ratio=0.58, rib=7))
    heart = by_name(reading, "cardiomegaly")
    ratio = heart.measurement("cardiothoracic ratio")
    assert ratio.value == pytest.approx(0.58, abs=0.005)
    assert (ratio.low, ratio.high) == (None, 0.5)
    assert by_name(reading, "poor inspiration").status == "present"
    # Poor inspiration widens the heart: the finding is not stated, the reason is.
    assert heart.status == "uncertain"
    assert "biased by poor inspiration" in [a.value for a in heart.attributes]
    assert "0.5 (PA)" in heart.evidence[0].detail
    assert by_name(read(SchematicChest(cardiothoracic_ratio=0.58))[1], "cardiomegaly").status == "present"
    assert by_name(read(SchematicChest(cardiothoracic_ratio=0.45))[1], "cardiomegaly").status == "absent"


def test_unverified_limits_state_nothing():
    _, reading = read(SchematicChest(mediastinal_ratio=0.3))
    finding = by_name(reading, "mediastinal widening")
    assert finding.status == "uncertain"
    assert "limit not verified" in [a.value for a in finding.attributes]
    assert by_name(read(SchematicChest(mediastinal_ratio=0.2))[1], "mediastinal widening").status == "absent"


def test_ap_film_takes_its_own_limit_and_allows_for_its_scapulae():
    _, reading = read(SchematicChest(cardiothoracic_ratio=0.52, overlap=(0.5, 0.5)), header="AP", view="AP")
    heart = by_name(reading, "cardiomegaly")
    assert heart.status == "absent"
    assert heart.measurement("cardiothoracic ratio").high == 0.55
    _, reading = read(SchematicChest(cardiothoracic_ratio=0.58, overlap=(0.5, 0.5)), header="AP", view="AP")
    assert by_name(reading, "cardiomegaly").status == "present"
    _, reading = read(SchematicChest(cardiothoracic_ratio=0.58, overlap=(0.5, 0.5)), header="PA")
    assert by_name(reading, "cardiomegaly").status == "uncertain"


def test_projection_from_header_then_pixels_then_unknown():
    sure = RadiographView("frontal", "AP", 0, False, False, {"view": 0.95})
    unsure = RadiographView("frontal", "AP", 0, False, False, {"view": 0.6})
    assert projection_of(picture(Turn(), view="PA"), sure) == ("PA", "The header says PA; the picture looks like AP.")
    assert projection_of(picture(Turn(), view="PA"), unsure) == ("PA", "")
    assert projection_of(picture(Turn(), view=""), sure)[0] == "AP"
    assert projection_of(picture(Turn(), view=""), unsure)[0] is None
    assert projection_of(picture(Turn(), view="postero-anterior"), unsure)[0] == "PA"


def test_unknown_projection_leaves_the_grey_zone_uncertain():
    image = picture(Turn(), view="")
    seen = RadiographView("frontal", "PA", 0, False, False, {"view": 0.5})
    for ratio, status in ((0.45, "absent"), (0.52, "uncertain"), (0.6, "present")):
        chest = SchematicChest(cardiothoracic_ratio=ratio)
        made = parser(chest)
        unsure = RadiographParser(lambda _image: seen, made.segment, made.cite)
        reading = unsure.read([image], Request(Study((image,))))
        assert by_name(reading, "cardiomegaly").status == status


@pytest.mark.parametrize("turn", [Turn(1), Turn(2), Turn(3), Turn(0, True), Turn(1, True), Turn(3, True)])
def test_masks_and_landmarks_lie_on_the_picture_as_it_came(turn):
    """Whatever way the film lies, the caliper's ends lie on the edges of the masks of the turned picture."""
    chest = SchematicChest(cardiothoracic_ratio=0.5)
    image, reading = read(chest, turn, crop=20)
    assert image.shape == ((280, 300) if turn.quarters % 2 == 0 else (300, 280))
    heart = by_name(reading, "heart").where.mask
    assert heart.shape == image.shape
    assert by_name(reading, "cardiomegaly").measurement("cardiothoracic ratio").value == pytest.approx(0.5, abs=0.005)
    lines = {line.name: line for line in by_name(reading, "cardiomegaly").measurements[0].geometry}
    ends = np.array([lines[f"{side} heart border to midline"].points for side in ("right", "left")]).reshape(-1, 2)
    box = heart.box
    axis = int(np.ptp(ends, axis=0).argmax())
    assert axis == (1 if turn.quarters % 2 == 0 else 0)
    assert ends[:, axis].min() == pytest.approx(box.start[axis] - 0.5)
    assert ends[:, axis].max() == pytest.approx(box.stop[axis] - 0.5)
    right = np.array(lines["right heart border to midline"].points).mean(axis=0)
    side = np.argwhere(next(f.where.mask for f in reading.findings if f.id == "right lung").array).mean(axis=0)
    other = np.argwhere(next(f.where.mask for f in reading.findings if f.id == "left lung").array).mean(axis=0)
    assert np.linalg.norm(right - side) < np.linalg.norm(right - other)


@pytest.mark.parametrize("turn", [Turn(k, m) for k in range(4) for m in (False, True)])
def test_a_point_moves_as_its_pixel_does(turn):
    array = np.zeros((5, 8))
    array[1, 6] = 1
    moved = turn.apply(array)
    frame = Upright(turn, moved.shape)
    assert frame._point((1.0, 6.0)) == tuple(float(i[0]) for i in np.nonzero(moved))
    assert frame.spacing((2.0, 3.0)) == ((2.0, 3.0) if turn.quarters % 2 == 0 else (3.0, 2.0))


def test_mirrored_film_is_flagged_and_states_nothing():
    _, reading = read(SchematicChest(cardiothoracic_ratio=0.6), Turn(0, True))
    assert by_name(reading, "mirrored radiograph").status == "uncertain"
    statuses = {f.what.name: f.status for f in reading.findings if ontology().entry(f.what.name).kind == "finding"}
    assert set(statuses.values()) == {"uncertain"}


def test_implausible_outlines_state_nothing():
    _, reading = read(SchematicChest(cardiothoracic_ratio=0.6), usable=False)
    assert by_name(reading, "cardiomegaly").status == "uncertain"


def test_millimetres_only_with_pixel_size():
    _, reading = read(SchematicChest(cardiothoracic_ratio=0.5))
    kinds = {m.unit for f in reading.findings for m in f.measurements}
    assert "mm" not in kinds
    assert any("no pixel size" in warning for warning in reading.warnings)
    _, reading = read(SchematicChest(cardiothoracic_ratio=0.5), spacing=1.1)
    width = by_name(reading, "cardiomegaly").measurement("heart width")
    assert width.value == pytest.approx(0.5 * 0.72 * SIZE * 1.1, rel=0.01)
    assert width.geometry


def test_what_nobody_looked_for_is_said():
    _, reading = read(SchematicChest())
    assert set(NOT_LOOKED_FOR) <= set(reading.not_assessed)
    assert {model.name for model in reading.models} == {"radiograph-view", "radiograph-side", "radiograph"}


def test_dropped_tasks_are_listed_with_their_reason():
    _, reading = read(SchematicChest(cut=frozenset({"left side"})))
    assert any(text.startswith("cardiomegaly (left lung: is cut") for text in reading.not_assessed)
    assert not any(f.what.name == "cardiomegaly" for f in reading.findings)


def test_lateral_is_named_not_measured():
    image = picture(Turn())
    lateral = RadiographView("lateral", "LATERAL", 0, False, False, {})
    made = parser(SchematicChest())
    reading = RadiographParser(lambda _image: lateral, made.segment, made.cite).read([image], Request(Study((image,))))
    assert reading.findings == ()
    assert "recognised as lateral" in reading.warnings[-1]
    declared = picture(UPRIGHT, view="LL")
    reading = made.read([declared], Request(Study((declared,))))
    assert reading.findings == ()
    assert "declared as lateral" in reading.warnings[-1]


def test_a_given_mask_takes_the_networks_place():
    image = picture(Turn())
    wide = SchematicChest(cardiothoracic_ratio=0.6).draw(SIZE)["heart"]
    request = Request(Study((image,)), masks={"heart": Mask.of(wide, image.affine)})
    reading = parser(SchematicChest(cardiothoracic_ratio=0.4)).read([image], request)
    assert by_name(reading, "cardiomegaly").measurements[0].value == pytest.approx(0.6, abs=0.005)
    assert by_name(reading, "heart").evidence[0].source == "person"


def test_findings_survive_json():
    _, reading = read(SchematicChest(cardiothoracic_ratio=0.58), spacing=1.0)
    assert from_dict(to_dict(reading)) == reading


def test_claims_by_header_and_by_pixels():
    made = parser(SchematicChest())
    assert made.claims(picture(Turn()))
    hand = Image.of(np.zeros((50, 50)), modality="DX", acquisition=Acquisition(body_part="hand"))
    ultrasound = Image.of(np.zeros((50, 50)), modality="US")
    volume = Image.of(np.zeros((5, 50, 50)), modality="CR")
    colour = Image.of(np.random.default_rng(0).random((3, 50, 50)), channels=3, modality="OT")
    photograph = Image.of(np.random.default_rng(0).random((50, 50)), modality="OT")
    assert [made.claims(image) for image in (hand, ultrasound, volume, colour)] == [False] * 4
    assert made.claims(photograph)
    stranger = RadiographView("not a chest radiograph", None, 0, False, False, {})
    assert not RadiographParser(lambda _image: stranger, made.segment, made.cite).claims(photograph)


def test_rows_of_the_parser_are_those_of_the_masks():
    chest = SchematicChest(carina_angle=72, knob_ratio=2.3)
    _, reading = read(chest)
    rows = measure_radiograph(RadiographMasks(chest.draw(SIZE), view="PA"))
    assert by_name(reading, "abnormal carina angle").measurements[0].value == pytest.approx(rows["carina_angle"].index)


def test_a_normal_index_that_a_bias_may_have_made_claims_nothing():
    _, reading = read(SchematicChest(clavicles=(0.015, 0.05)))
    assert by_name(reading, "patient rotation").status == "uncertain"
    trachea = [f for f in reading.findings if f.what.name == "trachea" and f.measurements]
    assert trachea[0].measurements[0].kind.name == "tracheal deviation ratio"
    assert not any(f.what.name == "tracheal deviation" for f in reading.findings)
    # The ratio lies farther from its limit than a rotation can move it.
    assert by_name(reading, "cardiomegaly").status == "absent"
    _, reading = read(SchematicChest(clavicles=(0.015, 0.05), cardiothoracic_ratio=0.48))
    assert not any(f.what.name == "cardiomegaly" for f in reading.findings)
    _, reading = read(SchematicChest(clavicles=(0.015, 0.05), cardiothoracic_ratio=0.52))
    assert by_name(reading, "cardiomegaly").status == "uncertain"
    _, reading = read(SchematicChest(clavicles=(0.015, 0.05), cardiothoracic_ratio=0.56))
    assert by_name(reading, "cardiomegaly").status == "present"
