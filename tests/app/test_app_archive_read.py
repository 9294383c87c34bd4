"""`groundglass archive --task read`: the main job on every study."""

from __future__ import annotations

import json
from pathlib import Path

from archive_corpus import rows

from groundglass.app.archive.run import Settings, run


def test_the_main_job_on_an_archive(tmp_path: Path) -> None:
    """A radiograph is read, with its report and masks as artefacts."""
    from groundglass.app.sample import write_sample

    (tmp_path / "in").mkdir()
    write_sample("radiograph", tmp_path / "in" / "chest.png")
    figures = run(str(tmp_path / "in"), tmp_path / "out", Settings(task="read", workers=1)).figures
    (row,) = rows(tmp_path / "out")
    folder = tmp_path / "out" / "studies" / row["folder"]
    assert row["state"] == "done" and row["modalities"] == ["DX"]
    assert set(row["files"]) | {"result.json"} == {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    }
    document = json.loads((folder / "report.json").read_text())
    assert len(row["findings"]) == len(document["report"]["findings"]) > 3
    assert figures["pipeline"].split("+")[1].startswith("read.")
