"""The package lunguage-score, words by equality: `python lunguage_package.py INPUT.json OUTPUT.json`.

Needs `lunguage-score` with torch, transformers, pandas and matplotlib. INPUT: a list of cases with `mode` ("single" or
"sequential"), `candidate` and `reference`, lists of rows (`entity`, `relations`, `sequence`, `group`, `episode`).
OUTPUT: [F1, precision, recall] of each. Its two encoders are downloads; in their place stands the one-hot encoder: two
texts are as similar as they are equal.
"""

import importlib.util
import json
import sys
from pathlib import Path

import torch
import yaml

# The package's own __init__ also imports clients of language models; the score is one file of it.
package = Path(importlib.util.find_spec("lunguage_score").origin).parent  # type: ignore[union-attr, arg-type]
spec = importlib.util.spec_from_file_location("lunguagescore", package / "lunguagescore.py")
score = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
spec.loader.exec_module(score)  # type: ignore[union-attr]


class Nothing:
    """Stands for a model or tokenizer that is never called."""

    @staticmethod
    def from_pretrained(name: str) -> None:
        """No download."""


def equality(self, first, second, *_):  # type: ignore[no-untyped-def]
    return torch.tensor([[float(a == b) for b in second] for a in first], dtype=torch.float64)


def table(rows, mode):  # type: ignore[no-untyped-def]
    """Rows as the package's converter makes them of its CSV."""
    found: dict = {}
    for row in rows:
        entry = {**row["relations"], "sequence": row["sequence"], "episode": row["episode"]}
        entry["entity_group"] = row["group"] or row["entity"]
        if mode == "single":
            entry |= {"entity_group": "single-eval", "episode": 1, "sequence": 1}
        held = found if mode == "single" else found.setdefault(row["sequence"], {})
        held.setdefault(row["entity"], []).append(entry)
    return found


score.AutoModel = score.AutoTokenizer = Nothing
score.SemanticMatcher.matrix_process_sequence_pair = equality
weights = yaml.safe_load((package / "metric_weights.yaml").read_text(encoding="utf-8"))
made = []
for case in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
    matcher = score.SubjectMatcher(case["mode"])
    given = [table(case[name], case["mode"]) for name in ("reference", "candidate")]
    answer = matcher.semantic_match(*given, weights["REL_WEIGHTS"], weights["TEMPORAL_WEIGHTS"])
    made.append([float(value) for value in answer[1:4]])
Path(sys.argv[2]).write_text(json.dumps(made), encoding="utf-8")
