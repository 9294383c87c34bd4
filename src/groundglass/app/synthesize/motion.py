"""`groundglass synthesize motion`: a head that moved during its MR scan, from images or from k-space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

if TYPE_CHECKING:
    from numpy.typing import NDArray

_OptionalText = Optional[str]  # noqa: UP045 (typer resolves the annotation at run time)


def motion(
    source: Annotated[Path, typer.Argument(help="An MR volume or slice, or k-space (.h5, .mrd, complex .npy).")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write.")],
    severity: Annotated[float, typer.Option(help="0 to 1; 1 moves by up to 10 degrees and 10 pixels.")] = 0.5,
    kind: Annotated[_OptionalText, typer.Option(help="'few poses', drift, sudden or periodic; else drawn.")] = None,
    ghosts: Annotated[int, typer.Option(help="Also ghosts: copies across the field (0: none).")] = 0,
    seed: Annotated[int, typer.Option(help="Of the course of motion; each slice has its own.")] = 0,
) -> None:
    """Move the head line by line in k-space. Writes the spoilt image, the SSIM of every slice and the courses."""
    import numpy as np

    from groundglass.core import ConfigurationError
    from groundglass.io import read_image, write_json_atomic, write_nifti
    from groundglass.synthesis.motion import MOTIONS

    kinds = MOTIONS if kind is None else (kind,)
    if not set(kinds) <= set(MOTIONS):
        raise ConfigurationError(f"--kind {kind}", "is not known", f"Use {', '.join(MOTIONS)}.")
    out.mkdir(parents=True, exist_ok=True)
    if source.suffix in (".h5", ".hdf5", ".mrd", ".npy"):
        rows = _kspace(source, out, severity, kinds, ghosts, seed)
    else:
        image = read_image(source)
        axis = int(np.argmax(image.spacing)) if image.is_volume else 0
        volume = image.array[0].astype(np.float64)
        parts = np.moveaxis(volume, axis, 0) if image.is_volume else volume[None]
        spoilt, rows = _slices(parts, severity, kinds, ghosts, seed)
        whole = np.moveaxis(spoilt, 0, axis) if image.is_volume else spoilt[0]
        write_nifti(whole.astype(np.float32), image, out / "moved.nii.gz")
    write_json_atomic(
        out / "motion.json",
        {"simulated": True, "source": source.name, "severity": severity, "ghosts": ghosts, "slices": rows},
    )
    typer.echo(f"{len(rows)} slices with simulated motion: {out}")


def _slices(
    parts: NDArray[Any], severity: float, kinds: tuple[str, ...], ghosts: int, seed: int
) -> tuple[NDArray[Any], list[dict[str, Any]]]:
    """(n, H, W) spoilt on the scale of the volume, and a record per slice."""
    import numpy as np

    from groundglass.synthesis.motion import corrupt_slice, with_ghosts

    top = float(np.percentile(parts, 99.9)) or 1.0
    made, rows = [], []
    for number, part in enumerate(parts):
        one = corrupt_slice(part / top, np.random.default_rng([seed, number]), severity=severity, kinds=kinds)
        value = one.image.astype(np.float64)
        if ghosts:
            value = with_ghosts(value, ghosts=ghosts, strength=severity, axis=one.trajectory.axis)
        made.append(value * top)
        rows.append({"slice": number, "ssim": round(one.score, 5), "motion": one.trajectory.row()})
    return np.stack(made), rows


def _kspace(
    source: Path, out: Path, severity: float, kinds: tuple[str, ...], ghosts: int, seed: int
) -> list[dict[str, Any]]:
    """Every coil of a slice moves alike. Writes moved_kspace.npy and the root-sum-of-squares images."""
    import numpy as np

    from groundglass.io import atomic_path, read_kspace
    from groundglass.synthesis.motion import moved_kspace, random_trajectory, to_image

    kspace = read_kspace(source)
    moved, rows = np.empty_like(kspace), []
    for number, coils in enumerate(kspace):
        rng = np.random.default_rng([seed, number])
        course = random_trajectory(coils.shape[1:], rng, severity=severity, kinds=kinds)
        for coil, lines in enumerate(coils):
            moved[number, coil] = moved_kspace(to_image(lines), course)
        if ghosts:
            weight = np.ones(moved.shape[2 + course.axis])
            weight[::ghosts] = 1 - severity
            moved[number] *= weight[:, None] if course.axis == 0 else weight
        rows.append({"slice": number, "motion": course.row()})
    seen = np.sqrt((np.abs(to_image(moved)) ** 2).sum(axis=1)).astype(np.float32)
    for name, array in (("moved_kspace.npy", moved), ("moved.npy", seen)):
        with atomic_path(out / name) as path, path.open("wb") as stream:
            np.save(stream, array)
    return rows
