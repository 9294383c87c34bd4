"""A chest radiograph archive laid out like MIMIC-CXR-JPG (A. E. W. Johnson et al., arXiv 1901.07042).

Pictures and free-text reports by patient and study, with tables of metadata, splits and 14 CheXpert labels. Pictures
are PNG, to lose nothing.
"""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from groundglass.core import ConfigurationError, ontology
from groundglass.io.atomic import write_text_atomic
from groundglass.synthesis.phantoms.layouts import files
from groundglass.synthesis.phantoms.phantom import Phantom
from groundglass.text import label_set

_VALUES = {"present": "1.0", "absent": "0.0", "uncertain": "-1.0", None: ""}
_RANK = {None: 0, "absent": 1, "uncertain": 2, "present": 3}


def write(phantom: Phantom, folder: Path) -> dict[str, Any]:
    """files/pNN/pNNNNNNNN/sNNNNNNNN.txt and the picture beside it. Raises ConfigurationError for other kinds."""
    if phantom.kind != "radiograph":
        raise ConfigurationError(phantom.kind, "is no chest radiograph", "Use the layout plain, bids or coco.")
    subject = 10_000_000 + phantom.seed % 900 * 10_000 + phantom.index
    study = 50_000_000 + (phantom.seed % 900 * 10_000 + phantom.index) * 20 + phantom.visit
    picture = hashlib.sha256(f"{phantom.name} picture".encode()).hexdigest()[:40]
    dicom_id = "-".join(picture[i : i + 8] for i in range(0, 40, 8))
    home = folder / "files" / f"p{subject // 1_000_000}" / f"p{subject}"
    write_text_atomic(home / f"s{study}.txt", files.report_text(phantom))
    files.write_png(files.grey(phantom.image)[None], home / f"s{study}" / f"{dicom_id}.png")
    rows, columns = phantom.image.shape
    return {
        "dicom_id": dicom_id, "subject_id": subject, "study_id": study, "ViewPosition": phantom.facts["view"],
        "Rows": rows, "Columns": columns, "StudyDate": phantom.date.replace("-", ""), "labels": labels(phantom),
    }  # fmt: skip


def labels(phantom: Phantom) -> dict[str, str]:
    """The 14 labels from what the report states (not read back): 1.0, 0.0, -1.0 or empty."""
    from groundglass.text.labels import without_findings

    chosen = label_set("chexpert14")
    best: dict[str, Any] = dict.fromkeys(chosen.rules)
    tree = ontology()
    for finding in phantom.report.findings:
        lineage = (finding.what.name, *(term.name for term in tree.ancestors(finding.what.name)))
        for name in chosen.names_of(lineage):
            if _RANK[finding.status] > _RANK[best[name]]:
                best[name] = finding.status
    best.update(without_findings(chosen, best))
    return {name: _VALUES[value] for name, value in best.items()}


def finish(records: list[dict[str, Any]], folder: Path, kind: str) -> None:
    """The three tables; patients are split 80 : 10 : 10 by their number."""
    metadata = ("dicom_id", "subject_id", "study_id", "ViewPosition", "Rows", "Columns", "StudyDate")
    _table(folder / "mimic-cxr-2.0.0-metadata.csv", metadata, records)
    split = np.array(["train"] * 8 + ["validate", "test"])
    rows = [{**r, "split": str(split[r["subject_id"] % 10])} for r in records]
    _table(folder / "mimic-cxr-2.0.0-split.csv", ("dicom_id", "study_id", "subject_id", "split"), rows)
    names = tuple(sorted(records[0]["labels"])) if records else ()
    rows = [{**r, **r["labels"]} for r in records]
    _table(folder / "mimic-cxr-2.0.0-chexpert.csv", ("subject_id", "study_id", *names), rows)
    write_text_atomic(folder / "README", f"Simulated {kind}s in the layout of MIMIC-CXR. No patient was imaged.\n")


def _table(path: Path, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text_atomic(path, text.getvalue())
