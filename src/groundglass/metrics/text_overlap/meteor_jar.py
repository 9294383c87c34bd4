"""METEOR 1.5 as the COCO caption scripts print it: the official program, run where the user has it.

M. Denkowski and A. Lavie, WMT 2014. Its synonyms and paraphrases are tables of the program's own, so there is no other
way to this figure; `meteor` without tables is another one. Java and `meteor-1.5.jar` with its `data` folder beside it
are needed (the PyPI package pycocoevalcap holds both).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from groundglass.core.errors import ConfigurationError
from groundglass.metrics.text_overlap.alignment import Meteor
from groundglass.metrics.text_overlap.pairs import checked_pairs
from groundglass.metrics.text_overlap.ptb import coco_text

_SEPARATOR = "|||"


def meteor_of_jar(
    candidates: Sequence[str],
    references: Sequence[str | Sequence[str]],
    *,
    jar: str | os.PathLike[str],
    modules: str = "exact stem synonym paraphrase",
    tokenise: Callable[[str], str] = coco_text,
    timeout: float = 600.0,
) -> Meteor:
    """METEOR 1.5 for English with normalised words; `mean` is the program's own figure for the corpus, not a mean.

    Raises InputError as `checked_pairs`, ConfigurationError when Java or the program is missing or fails, or takes
    longer than `timeout` seconds.
    """
    said, truth = checked_pairs(candidates, references)
    java = shutil.which("java")
    if java is None:
        raise ConfigurationError("java", "is not installed", "Install a Java runtime, or use `meteor` (exact, stem).")
    if not Path(jar).is_file():
        raise ConfigurationError(jar, "is not there", "Name meteor-1.5.jar (it comes with pycocoevalcap).")
    command = [java, "-Dfile.encoding=UTF-8", "-Xmx2G", "-jar", str(Path(jar).resolve()), "-", "-", "-stdio"]
    command += ["-l", "en", "-norm", "-m", modules]
    lines = [
        f" {_SEPARATOR} ".join(["SCORE", *(_line(tokenise(other)) for other in others), _line(tokenise(text))])
        for text, others in zip(said, truth, strict=True)
    ]
    try:
        values = np.array([float(score) for score in _exchange(command, lines, timeout)])
    except (OSError, ValueError) as error:
        raise ConfigurationError(jar, "does not answer as METEOR 1.5 does", "Check the program and Java.") from error
    return Meteor(f"METEOR 1.5 ({modules.replace(' ', ', ')})", float(values[-1]), values[:-1])


def _exchange(command: Sequence[str], lines: Sequence[str], timeout: float) -> list[str]:
    """Statistics of each line, then the scores of all of them and of the corpus."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    ) as program:
        guard = threading.Timer(timeout, program.kill)
        guard.start()
        try:
            statistics = [_asked(program, line) for line in lines]
            first = _asked(program, f" {_SEPARATOR} ".join(["EVAL", *statistics]))
            return [first, *(_read(program) for _ in lines)]
        finally:
            guard.cancel()
            program.kill()


def _line(text: str) -> str:
    return " ".join(text.replace(_SEPARATOR, " ").split())


def _asked(program: subprocess.Popen[str], line: str) -> str:
    assert program.stdin is not None
    program.stdin.write(line + "\n")
    program.stdin.flush()
    return _read(program)


def _read(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    line = program.stdout.readline()
    if not line:
        raise OSError("the program ended")
    return line.strip()
