"""`groundglass synthesize corrupt`: a picture as its modality fails, in graded severities."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

_OptionalText = Optional[str]  # noqa: UP045 (typer resolves the annotation at run time)
_OptionalInt = Optional[int]  # noqa: UP045


def corrupt(
    image: Annotated[Path, typer.Argument(help="A picture (PNG, JPEG, DICOM), or .npz with test_images, test_labels.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write.")],
    table: Annotated[str, typer.Option("--set", help="Whose severities: chestmnist, pathmnist, dermamnist, ...")],
    kind: Annotated[_OptionalText, typer.Option(help="pixelate, motion_blur, ...; else all of the set.")] = None,
    severity: Annotated[_OptionalInt, typer.Option(help="1 to 5; else all five.")] = None,
    seed: Annotated[int, typer.Option(help="Of the random kinds: the same seed, the same picture.")] = 0,
) -> None:
    """Corrupt a picture, or a whole MedMNIST-like file (one .npz per kind), and write a manifest to replay it."""
    from groundglass.synthesis.corruptions import corruption_set

    chosen = corruption_set(table)
    kinds = [kind] if kind is not None else list(chosen.kinds)
    levels = [severity] if severity is not None else [1, 2, 3, 4, 5]
    for name in kinds:
        for level in levels:
            chosen.parameter(name, level)
    out.mkdir(parents=True, exist_ok=True)
    write = _write_set if image.suffix == ".npz" else _write_picture
    count = write(image, out, table, kinds, levels, seed)
    typer.echo(f"{count} corrupted pictures: {out}")


def _write_picture(path: Path, out: Path, table: str, kinds: list[str], levels: list[int], seed: int) -> int:
    import io

    import numpy as np
    from PIL import Image as Pillow

    from groundglass.io import write_bytes_atomic, write_json_atomic
    from groundglass.synthesis.corruptions import Corruption, corrupt, corruption_set

    picture, rows = _picture(path), []
    for kind in kinds:
        for level in levels:
            one = Corruption(kind, corruption_set(table).parameter(kind, level), seed)
            file = io.BytesIO()
            Pillow.fromarray(np.ascontiguousarray(corrupt(picture, one))).save(file, "PNG")
            write_bytes_atomic(out / f"{kind}_{level}.png", file.getvalue())
            rows.append({"file": f"{kind}_{level}.png", "severity": level, **one.row()})
    write_json_atomic(out / "corruptions.json", {"image": path.name, "set": table, "pictures": rows})
    return len(rows)


def _write_set(path: Path, out: Path, table: str, kinds: list[str], levels: list[int], seed: int) -> int:
    """MedMNIST-C's layout: KIND.npz with the severities one after the other and the labels repeated."""
    import numpy as np

    from groundglass.core import InputError
    from groundglass.io import atomic_path, write_json_atomic
    from groundglass.synthesis.corruptions import corrupt_set, corruption_set

    held = np.load(path, allow_pickle=False)
    if not {"test_images", "test_labels"} <= set(held.files):
        raise InputError(path, "holds no test_images and test_labels", "Give a MedMNIST file.")
    images, labels, count = held["test_images"], held["test_labels"], 0
    for kind in kinds:
        made, rows = corrupt_set(images, corruption_set(table), kind, seed=seed)
        kept = np.isin([row["severity"] for row in rows], levels)
        with atomic_path(out / f"{kind}.npz") as temporary, temporary.open("wb") as stream:
            np.savez_compressed(stream, test_images=made[kept], test_labels=np.concatenate([labels] * len(levels)))
        write_json_atomic(out / f"{kind}.json", [row for row, keep in zip(rows, kept, strict=True) if keep])
        count += int(kept.sum())
    return count


def _picture(path: Path):  # type: ignore[no-untyped-def]
    """(H, W) or (H, W, 3) uint8."""
    import numpy as np

    from groundglass.core import InputError
    from groundglass.io import read_image

    image = read_image(path)
    if len(image.shape) != 2 or image.channels not in (1, 3):
        raise InputError(path, "is no flat picture of one or three channels", "Give a PNG, a JPEG or a radiograph.")
    array = np.moveaxis(np.asarray(image.array), 0, -1)
    if array.dtype != np.uint8:
        low, high = float(array.min()), float(array.max())
        array = np.round((array - low) / max(high - low, 1e-12) * 255).astype(np.uint8)
    return array[..., 0] if image.channels == 1 else array
