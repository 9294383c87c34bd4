"""What ships of the viewer: small, whole, licensed, and nothing that is loaded from elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

from groundglass.app.serve.application import VIEWER

SOURCE = Path(__file__).parents[2] / "viewer"


def test_the_page_names_only_files_that_ship():
    page = (VIEWER / "index.html").read_text()
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(named) >= 3 and all((VIEWER / name).is_file() for name in named)
    style = (VIEWER / "index.css").read_text()
    loaded = re.findall(r"url\(([^)]+)\)", style)
    assert loaded and all((VIEWER / name.strip("\"'")).is_file() for name in loaded)
    assert "http" not in style


def test_the_viewer_stays_small():
    assert sum(file.stat().st_size for file in VIEWER.iterdir()) < 1_300_000
    # What is needed before the first picture.
    assert (VIEWER / "viewer.js").stat().st_size < 130_000


def test_every_package_that_is_asked_for_is_in_the_licences():
    asked = json.loads((SOURCE / "package.json").read_text())["dependencies"]
    licences = (VIEWER / "licences.txt").read_text()
    for name, version in asked.items():
        assert re.search(rf"^{re.escape(name)} {re.escape(version)} \(", licences, re.MULTILINE), name
    for notice in ("Redistribution and use", "SIL OPEN FONT LICENSE", "Permission is hereby granted"):
        assert notice in licences


def test_the_lock_names_no_registry():
    assert '"resolved"' not in (SOURCE / "package-lock.json").read_text()
