"""The studies of this server as MONAI Label's datastore: images by name, labels by tag, sessions that end."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any

from groundglass.app.serve import labelling
from groundglass.app.serve.desk import Desk
from groundglass.app.serve.problems import not_found
from groundglass.app.serve.review import load_review, save_review
from groundglass.app.serve.store import Record, read_json
from groundglass.app.serve.uploads import shown_name
from groundglass.io.atomic import write_json_atomic


def find_image(desk: Desk, name: str) -> tuple[Record, str]:
    """Raises the 404 problem for an image that there is not, 409 for one without pixels."""
    for record, image in client_images(desk):
        if name in (client_name(record, image), image.get("series_uid")) or (
            len(record.images) == 1 and name and shown_name(name) == record.name
        ):
            return record, image["id"]
    raise not_found("image")


def client_images(desk: Desk) -> list[tuple[Record, dict[str, Any]]]:
    """The images that clients can have: usable ones that do not move, newest first."""
    return [
        (record, image)
        for record in desk.store.all()
        for image in record.images
        if image["usable"] and not image["is_moving"]
    ]


def client_name(record: Record, image: dict[str, Any]) -> str:
    return f"{record.id}-{image['id']}"


def image_info(record: Record, image: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": f"{client_name(record, image)}.nii.gz",
        "description": image["name"],
        "modality": image["modality"],
        "shape": image["shape"],
        "SeriesInstanceUID": image.get("series_uid") or "",
        "StudyInstanceUID": record.uid,
    }


def status(desk: Desk) -> dict[str, Any]:
    tags: dict[str, int] = {}
    images = client_images(desk)
    for record, image in images:
        for tag in labels_of(desk, record, image):
            tags[tag] = tags.get(tag, 0) + 1
    return {"total": len(images), "completed": tags.get("final", 0), "label_tags": tags}


def labels_of(desk: Desk, record: Record, image: dict[str, Any]) -> dict[str, Any]:
    """tag -> {ext, info} of what was saved for an image."""
    folder = desk.store.folder(record.id).path / "labels"
    found = {}
    for path in sorted(folder.glob(f"{image['id']}-*.json")) if folder.is_dir() else ():
        held = read_json(path, "label")
        found[held["tag"]] = {"ext": ".nii.gz", "info": held["info"]}
    return found


def label_info_path(desk: Desk, record: Record, image_id: str, tag: str) -> Path:
    # A tag is a client's word: its hex digits make the path.
    return desk.store.folder(record.id).path / "labels" / f"{image_id}-{tag.encode().hex()}.json"


def label_path(desk: Desk, record: Record, image_id: str, tag: str) -> Path:
    return label_info_path(desk, record, image_id, tag).with_suffix(".nii.gz")


async def keep_label(
    desk: Desk, record: Record, image_id: str, tag: str, path: Path, name: str, params: dict[str, Any]
) -> None:
    place = desk.store.folder(record.id)
    ending = next((e for e in (".nii.gz", ".nii", ".nrrd", ".mha") if name.lower().endswith(e)), "")
    is_raw = name.lower().endswith(".bin")
    kept = path.with_name("label" + (ending or ".nii.gz"))
    path.rename(kept)
    names = _named(params.get("label_info")) if tag == "final" else {}
    state = load_review(place)
    first, state.next_drawn = state.next_drawn, state.next_drawn + len(names)
    save_review(place, state)
    info = label_info_path(desk, record, image_id, tag)
    fresh = info.with_suffix(".new.nii.gz")
    rows = await desk.on_files(
        labelling.keep_label, desk.opened(record.id), image_id, labelling.Sent(kept, is_raw, names), fresh, first,
        place.drawn, what="label",
    )  # fmt: skip
    forget_label(desk, record, image_id, tag)
    fresh.replace(label_path(desk, record, image_id, tag))
    ids = [row["id"] for row in rows]
    write_json_atomic(info, {"tag": tag, "info": {"ts": int(time.time()), "params": params}, "findings": ids})
    state = load_review(place)
    state.drawn |= {row["id"]: row for row in rows}
    save_review(place, state)


def forget_label(desk: Desk, record: Record, image_id: str, tag: str) -> None:
    """Remove a label, its description and its findings."""
    info = label_info_path(desk, record, image_id, tag)
    if not info.is_file():
        return
    place = desk.store.folder(record.id)
    state = load_review(place)
    for finding_id in read_json(info, "label")["findings"]:
        state.drawn.pop(finding_id, None)
        state.findings.pop(finding_id, None)
        (place.drawn / f"{finding_id}.json").unlink(missing_ok=True)
    save_review(place, state)
    label_path(desk, record, image_id, tag).unlink(missing_ok=True)
    info.unlink()


def _named(label_info: Any) -> dict[int, str]:
    """value -> name of [{name, idx}], which may leave idx out."""
    names: dict[int, str] = {}
    for number, entry in enumerate(label_info if isinstance(label_info, list) else (), 1):
        if isinstance(entry, dict) and isinstance(entry.get("name"), str) and number <= 1000:
            index = entry.get("idx", number)
            names[index if isinstance(index, int) else number] = entry["name"][:100]
    return names


def session_record(desk: Desk, session_id: str) -> Record:
    expire_sessions(desk)
    record = desk.store.get(session_id)
    if record.origin != "session":
        raise not_found("session")
    return record


def expire_sessions(desk: Desk) -> None:
    """Delete what was sent for a session that is over."""
    oldest = time.time() - 2 * desk.limits.session_idle
    for record in [r for r in desk.store.all() if r.origin == "session" and _created(r) < oldest]:
        if all(job.is_over for job in desk.jobs.of_study(record.id)):
            desk.store.delete(record.id)


def _created(record: Record) -> int:
    return int(datetime.fromisoformat(record.created).timestamp())


def session_info(desk: Desk, record: Record) -> dict[str, Any]:
    """As clients know it; the places on the server's disk are left empty."""
    created = _created(record)
    return {
        "name": record.id, "path": "", "image": client_name(record, record.images[0]), "meta": {}, "create_ts": created,
        "last_access_ts": created, "expiry": int(2 * desk.limits.session_idle),
    }  # fmt: skip
