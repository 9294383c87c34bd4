"""What a peer that cannot share our environment says, through a program of `peers/` under an interpreter of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any


def asked(python: str, program: str, given: Any, workdir: Path) -> Any:
    """The JSON that `peers/PROGRAM.py` makes of `given`; both stay in `workdir`. Raises CalledProcessError."""
    workdir.mkdir(parents=True, exist_ok=True)
    question, answer = (workdir / f"{program}_{end}.json" for end in ("in", "out"))
    question.write_text(json.dumps(given), encoding="utf-8")
    subprocess.run([python, Path(__file__).parent / "peers" / f"{program}.py", question, answer], check=True)
    return json.loads(answer.read_text(encoding="utf-8"))
