"""The official METEOR 1.5: its answers where Java and the program are (GROUNDGLASS_METEOR_JAR), errors where not.

`data/text_overlap_golden.json` holds what pycocoevalcap 1.2 gave for the same pairs.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from groundglass.core.errors import ConfigurationError
from groundglass.metrics.text_overlap import meteor, meteor_of_jar

JAR = os.environ.get("GROUNDGLASS_METEOR_JAR", "")
needs_jar = pytest.mark.skipif(not JAR, reason="GROUNDGLASS_METEOR_JAR does not name meteor-1.5.jar")
needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="Java is not installed")


@needs_jar
@needs_java
@pytest.mark.parametrize(
    ("modules", "name"), [("exact stem synonym paraphrase", "meteor_full"), ("exact stem", "meteor_exact_stem")]
)
def test_equals_pycocoevalcap(modules: str, name: str) -> None:
    golden = json.loads((Path(__file__).parent / "data" / "text_overlap_golden.json").read_text(encoding="utf-8"))
    texts = [text for text, _ in golden["texts"]]
    candidates = [texts[i] for i in golden["candidates"]]
    references = [[texts[i] for i in several] for several in golden["references"]]
    found = meteor_of_jar(candidates, references, jar=JAR, modules=modules)
    np.testing.assert_allclose(found.cases, golden[f"{name}_cases"], rtol=0, atol=1e-9)
    assert found.mean == pytest.approx(golden[name], abs=1e-9)
    assert found.name.startswith("METEOR 1.5 (exact, stem")
    assert found.name != meteor(candidates, references).name


def test_missing_java_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="java: is not installed"):
        meteor_of_jar(["a"], ["a"], jar=tmp_path / "meteor-1.5.jar")


@needs_java
def test_missing_or_wrong_program_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not there"):
        meteor_of_jar(["a"], ["a"], jar=tmp_path / "meteor-1.5.jar")
    (tmp_path / "meteor-1.5.jar").write_bytes(b"not a jar")
    with pytest.raises(ConfigurationError, match="does not answer"):
        meteor_of_jar(["a"], ["a"], jar=tmp_path / "meteor-1.5.jar")


def _program(folder: Path, script: str) -> None:
    """A stand-in for `java` that speaks METEOR's protocol, so that the exchange is tested without it."""
    (folder / "java").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / "java").chmod(0o755)
    (folder / "meteor-1.5.jar").write_bytes(b"")


def test_exchange_keeps_order_and_cleans_lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Statistics are the asked line's length; the evaluation prints one score per case and the corpus figure 9.
    _program(
        tmp_path,
        'while read -r line; do case "$line" in SCORE*) echo "$line" >> "$0.asked"; echo 1;;'
        " EVAL*) echo 0.25; echo 0.5; echo 9;; esac; done",
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = meteor_of_jar(["No mass ||| here", "b"], [["x", "y\nz"], "c"], jar=tmp_path / "meteor-1.5.jar")
    assert (found.cases.tolist(), found.mean) == ([0.25, 0.5], 9.0)
    asked = (tmp_path / "java.asked").read_text(encoding="utf-8").splitlines()
    assert asked[0] == "SCORE ||| x ||| y z ||| no mass | | | here"
    assert asked[1] == "SCORE ||| c ||| b"


def test_a_program_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _program(tmp_path, "exec sleep 30")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(ConfigurationError, match="does not answer"):
        meteor_of_jar(["a"], ["a"], jar=tmp_path / "meteor-1.5.jar", timeout=0.3)
