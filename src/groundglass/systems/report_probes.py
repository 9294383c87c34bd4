"""What proofs claim of report metrics: they fall with planted errors, and see exchanged sides in real reports."""

from __future__ import annotations

import csv
import json
import re
import tarfile
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from groundglass.core import InputError
from groundglass.io.atomic import write_text_atomic
from groundglass.metrics.judge import ERROR_KINDS
from groundglass.metrics.reports import RuleJudge, count_errors, green_score, report_metrics, stated_f1
from groundglass.metrics.reports.planted import ladder, mixed, only, plans_with_room, plant, verbalise
from groundglass.metrics.reports.planted.ladder import MOST, Metric
from groundglass.metrics.reports.planted.plan import kinds
from groundglass.metrics.text_overlap import sentence_bleu
from groundglass.systems.proof import Claim

_REPORTS = 100
_SIDE = re.compile(r"\b(?:left|right)\b", re.IGNORECASE)
_OTHER = {"left": "right", "right": "left"}


def falling(judge: RuleJudge, workdir: Path, *, seed: int) -> list[Claim]:
    """Every report metric falls with the number of errors; BLEU on the same texts beside them."""
    from scipy.stats import spearmanr

    plans = plans_with_room(_REPORTS, np.random.default_rng(seed))
    metrics = {**report_metrics(judge), "BLEU-4": lambda c, r: sentence_bleu([c], [r])[0].score}
    steps: dict[str, dict[str, list[float]]] = {
        kind: ladder(plans, metrics, only(kind), seed=seed) for kind in ERROR_KINDS
    }
    labels = {"label F1": stated_f1(judge, [kind.name for kind in kinds()])}
    steps["mixed"] = ladder(plans, {**metrics, **labels}, mixed, seed=seed)
    workdir.mkdir(parents=True, exist_ok=True)
    write_text_atomic(workdir / "falling.json", json.dumps(steps, indent=1))
    rank = {
        (kind, name): float(spearmanr(range(MOST + 1), means).statistic)
        for kind, by_metric in steps.items()
        for name, means in by_metric.items()
    }
    ours = {key: value for key, value in rank.items() if key[1] != "BLEU-4"}
    worst = max(ours.values())
    start = {name: means[0] for name, means in steps["mixed"].items()}
    moved = max(abs(start[name] - best) for name, best in _best(labels | metrics).items() if name != "BLEU-4")
    return [
        Claim(
            f"{_REPORTS} reports, 0 to {MOST} errors of a kind or mixed: largest Spearman of a metric's mean",
            worst,
            "<= -0.9",
            worst <= -0.9,
            simulated=True,
            detail={
                **{f"{name}, mixed: first and last": f"{m[0]:.3f} {m[-1]:.3f}" for name, m in steps["mixed"].items()},
                **{f"BLEU-4 Spearman, {kind}": rank[kind, "BLEU-4"] for kind in steps},
            },
        ),
        Claim(
            "paraphrase moves any report metric by at most (BLEU-4's fall as the baseline)",
            moved,
            "< 0.05",
            moved < 0.05,
            baseline=1 - start["BLEU-4"],
            simulated=True,
        ),
        _bleu_claim(judge, seed + 1),
    ]


def _best(metrics: Mapping[str, Metric]) -> dict[str, float]:
    return {name: 0.0 if "negated" in name else 1.0 for name in metrics}


def _bleu_claim(judge: RuleJudge, seed: int) -> Claim:
    """The same words with every side wrong against an honest paraphrase: which is better, by BLEU and by GREEN."""
    misled = seen = 0
    chosen = plans_with_room(100, np.random.default_rng(seed))
    for index, plan in enumerate(chosen):
        wrong = plant(plan, {"wrong location": MOST}, np.random.default_rng([index, 2])).candidate
        truth, same_words = (verbalise(each, np.random.default_rng([index, 0])) for each in (plan, wrong))
        paraphrase = verbalise(plan, np.random.default_rng([index, 1]))
        bleu = sentence_bleu([same_words, paraphrase], [truth, truth])
        misled += bleu[0].score > bleu[1].score
        seen += green_score(same_words, truth, judge).value < green_score(paraphrase, truth, judge).value
    return Claim(
        "six sides wrong in the reference's own words rank below an honest paraphrase, by GREEN (baseline: by BLEU-4)",
        seen / len(chosen),
        ">= 0.98",
        seen / len(chosen) >= 0.98,
        baseline=1 - misled / len(chosen),
        simulated=True,
    )


def real_reports(judge: RuleJudge, data: Path | None) -> list[Claim]:
    """Real reports against themselves, and with left and right exchanged. Their texts stay in memory."""
    if data is None:
        return []
    texts = findings_sections(data / "openi-reports")
    own = max(count_errors(text, text, judge).total for text in texts)
    pairs = [(_SIDE.sub(lambda found: _OTHER[found[0].lower()], text), text) for text in texts]
    sided = [
        (wrong, text)
        for wrong, text in pairs
        if wrong != text and any(s.present and len(s.sides) == 1 for s in judge.statements(text))
    ]
    seen = np.array([count_errors(wrong, text, judge).total > 0 for wrong, text in sided])
    half = 1.96 * seen.std() / np.sqrt(len(seen))
    bleu = np.mean([each.score for each in sentence_bleu(*zip(*sided, strict=True))])
    return [
        Claim(f"{len(texts)} real reports against themselves: most errors of any", float(own), "0", own == 0),
        Claim(
            "real reports with left and right exchanged: share in which the judge finds errors (baseline: mean BLEU-4)",
            float(seen.mean()),
            ">= 0.95",
            bool(seen.mean() >= 0.95),
            baseline=float(bleu),
            low=float(seen.mean() - half),
            high=min(1.0, float(seen.mean() + half)),
            detail={"reports with a one-sided finding": len(sided)},
        ),
    ]


def findings_sections(folder: Path) -> list[str]:
    """The findings sections of the train split, where they are not empty. Raises InputError without the data."""
    try:
        with (folder / "splits.csv").open(encoding="utf-8", newline="") as rows:
            chosen = {row["file"] for row in csv.DictReader(rows) if row["split"] == "train"}
        with tarfile.open(folder / "ecgen-radiology-xml.tar.gz") as archive:
            documents = [
                ElementTree.parse(file)
                for member in archive
                if Path(member.name).name in chosen and (file := archive.extractfile(member)) is not None
            ]
    except OSError as error:
        raise InputError(folder, f"cannot be read ({error})", "Give the folder of the curated open data.") from error
    texts = (
        " ".join(part.text or "" for part in document.iter("AbstractText") if part.get("Label") == "FINDINGS").strip()
        for document in documents
    )
    return [text for text in texts if text]
