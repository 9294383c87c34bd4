"""ConTEXTual Net 3D (arXiv 2502.00528), the text half of its mining: sentence, SUVmax and slice of each lesion.

Built is part A.1 and A.5 of the card (`groundglass.text.mining`): sentences that name one lesion by SUVmax and slice,
the reasons for dropping the others, and the sentence without both numbers for training. Rules take the place of the
language model that the paper asks. Not built here: candidates in the SUV volume and their match, the network, SUV
arithmetic of card's check 3 (`groundglass.io` converts PET; its proof belongs to the image part). Reports of the proof
are made up by a grammar written with the rules, so the figures say that the reading works, not how reports are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from groundglass.systems.proof import Claim, Proof
from groundglass.text.mining import mined, planted_uptake, without_numbers

ENTRY = "groundglass.text.mining.mined"

_SEED = 21
_REPORTS = 200


def prove(workdir: Path, data: Path | None) -> Proof:
    """The text part of card 21's check 1, and red rows for what is not built."""
    rng = np.random.default_rng(_SEED)
    right = kept = given = naive = both = leaks = 0
    reasons: dict[str, int] = {}
    for _ in range(_REPORTS):
        report = planted_uptake(rng)
        given += len(report.truth)
        for row in mined(report.text):
            if row.dropped in ("no SUVmax", "no slice"):
                continue
            both += 1
            naive += row.start in report.truth
            if row.dropped:
                reasons[row.dropped] = reasons.get(row.dropped, 0) + 1
                continue
            kept += 1
            right += report.truth.get(row.start) == (row.suv_max, row.slice)
            words = without_numbers(report.text[row.start : row.end])
            leaks += str(row.suv_max) in words or str(row.slice) in words.split()
    precision, recall = right / max(1, kept), right / max(1, given)
    gain = precision - naive / max(1, both)
    return Proof(
        21,
        (
            Claim(
                "mining, text: right SUVmax and slice among accepted sentences",
                precision,
                ">= 0.97",
                precision >= 0.97,
                simulated=True,
                detail={"accepted": kept, "reports": _REPORTS, **{f"dropped, {k}": n for k, n in reasons.items()}},
            ),
            Claim(
                "mining, text: yield of the sentences that may be mined",
                recall,
                ">= 0.70",
                recall >= 0.7,
                simulated=True,
            ),
            Claim(
                "mining, text: above taking every sentence with both numbers",
                gain,
                ">= 0.10",
                gain >= 0.1,
                baseline=naive / max(1, both),
                simulated=True,
            ),
            Claim("numbers left in a training sentence", float(leaks), "0", leaks == 0, simulated=True),
            Claim(
                "checks of the card that are run in full", 0.0, "3 (volume, network and SUV are not run here)", False
            ),
        ),
        seeds=(_SEED,),
        notes=("text part only: no volume is matched; 15 % of the sentences with numbers are distractors",),
    )
