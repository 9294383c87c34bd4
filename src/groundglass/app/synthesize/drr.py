"""`groundglass synthesize drr`: radiographs of a CT, with its masks carried over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

if TYPE_CHECKING:
    from groundglass.synthesis.xray import Radiograph

_OptionalNumber = Optional[float]  # noqa: UP045 (typer resolves the annotation at run time)


def drr(
    ct: Annotated[Path, typer.Argument(help="A CT series or volume in HU.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write.")],
    view: Annotated[list[str], typer.Option(help="PA, AP, LAT or RLAT; repeat for several.")] = ["PA"],  # noqa: B006
    angles: Annotated[
        list[str],
        typer.Option(help="PRIMARY,SECONDARY positioner angles in degrees: PA is 0,0, a left lateral 90,0."),
    ] = [],  # noqa: B006
    mask: Annotated[list[str], typer.Option("--mask", help="TERM=FILE, carried over to the radiograph.")] = [],  # noqa: B006
    size: Annotated[int, typer.Option(help="Pixels a side.")] = 512,
    pixel: Annotated[_OptionalNumber, typer.Option(help="mm; else the whole scan is in the field.")] = None,
    distance: Annotated[_OptionalNumber, typer.Option(help="Source to detector in mm; else 1800, AP 1000.")] = None,
    parallel: Annotated[bool, typer.Option("--parallel", help="Parallel instead of a cone beam.")] = False,
    kilovolt: Annotated[_OptionalNumber, typer.Option(help="A real exposure: spectrum of this tube voltage.")] = None,
    photons: Annotated[_OptionalNumber, typer.Option(help="Photons per pixel: noise; needs --kilovolt.")] = None,
    scatter: Annotated[float, typer.Option(help="Scatter as a share of the primary; needs --kilovolt.")] = 0.0,
    threshold: Annotated[_OptionalNumber, typer.Option(help="Sum HU above this instead (DRR-RATE: -100).")] = None,
    seed: Annotated[int, typer.Option(help="Of the noise.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the record on stdout.")] = False,
) -> None:
    """Project a CT: PNG, DICOM DX, line integrals, projected masks and boxes, and the geometry. Marked as simulated."""
    import numpy as np

    from groundglass.app.inputs import parse_masks
    from groundglass.core import ConfigurationError, Finding, Location, Study
    from groundglass.core.mask_name import mask_name
    from groundglass.io import read_image, write_json_atomic
    from groundglass.synthesis.xray import Exposure, project_ct, xray_view

    if kilovolt is None and (photons is not None or scatter):
        raise ConfigurationError("--photons, --scatter", "belong to a real exposure", "Give --kilovolt, too.")
    exposure = None if kilovolt is None else Exposure(kilovolt=kilovolt, photons=photons, scatter=scatter)
    image = read_image(ct)
    masks = parse_masks(mask, Study((image,)), lambda text: typer.echo(f"warning: {text}", err=True))
    findings = []
    for number, (name, held) in enumerate(masks.items(), start=1):
        named = mask_name(name)
        findings.append(
            Finding(f"f{number}", named.term, where=Location(named.organ, named.side, held, image=image.name))
        )
    out.mkdir(parents=True, exist_ok=True)
    wanted: list[str | tuple[float, float]] = [*view] if view != ["PA"] or not angles else []
    records = []
    for chosen in [*wanted, *map(_pair, angles)]:
        seen = xray_view(
            image.shape, image.affine, chosen, size=size, pixel_mm=pixel, distance_mm=distance, parallel=parallel
        )
        film = project_ct(
            image, seen, findings=findings, exposure=exposure, threshold=threshold, rng=np.random.default_rng(seed)
        )
        records.append(_write(film, image.name, out, words=(image.name, str(seed), str(threshold), str(exposure))))
    document = {"simulated": True, "ct": image.name, "views": records}
    write_json_atomic(out / "drr.json", document)
    if json:
        from json import dumps

        typer.echo(dumps(document))
    else:
        typer.echo(f"{len(records)} simulated radiographs: {out}")


def _pair(text: str) -> tuple[float, float]:
    from groundglass.core import ConfigurationError

    try:
        primary, secondary = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigurationError(f"--angles {text}", "are not two numbers", "Write for instance 30,0.") from error
    return primary, secondary


def _write(film: Radiograph, ct: str, out: Path, *, words: tuple[str, ...]) -> dict[str, Any]:
    """One view's files; its record."""
    import io

    import numpy as np
    from PIL import Image as Pillow

    from groundglass.io import SimulatedFilm, atomic_path, write_bytes_atomic, write_nifti, write_simulated_dx

    view = film.view
    stem = view.name.replace(",", "_")
    file = io.BytesIO()
    Pillow.fromarray(np.round(film.picture * 255).astype(np.uint8)).save(file, "PNG")
    write_bytes_atomic(out / f"{stem}.png", file.getvalue())
    write_nifti(film.integrals, film.image(f"{ct} {stem}"), out / f"{stem}.nii.gz")
    about = SimulatedFilm(
        description="radiograph projected from CT",
        derivation="Line integrals of a CT through a simulated X-ray geometry",
        view=view.name,
        pixel_mm=view.spacing[0],
        seed=("groundglass drr", stem, *map(str, view.document().values()), *words),
        model="projection",
    )
    write_simulated_dx(film.picture, about, out / f"{stem}.dcm")
    rows = []
    if film.findings:
        lengths = np.stack([carried.lengths for carried in film.findings])
        with atomic_path(out / f"{stem}_masks.npz") as path, path.open("wb") as stream:
            np.savez_compressed(stream, path_mm=lengths, packed=np.packbits(lengths > 0, axis=-1))
    for carried in film.findings:
        where, thickest = carried.finding.where, carried.finding.measurements[0]
        assert where.box is not None
        rows.append(
            {
                "finding": carried.finding.id,
                "name": carried.finding.what.name,
                "side": where.side,
                "box": [list(where.box.start), list(where.box.stop)],
                "thickest_mm": thickest.value,
                "thickest_at": list(thickest.geometry[0].points[0]),
                "cut_by_the_field": carried.is_cut,
            }
        )
    return {"view": view.name, "geometry": view.document(), "findings": rows}
