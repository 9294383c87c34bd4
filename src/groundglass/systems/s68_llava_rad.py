"""System 68, LLaVA-Rad and CheXprompt (arXiv 2403.08002; Nat Commun 2025, 16:3108): the error-counting judge.

Built here is the metric: errors of six kinds, significant or not, counted by any judge (`groundglass.metrics.judge`):
the rule judge on the report reader, or a language model behind an OpenAI-compatible address. The report model (encoder,
projector, LoRA) is not built.

What differs from the release: replies are JSON with each error in words, so that counts can be checked, and a reply
that lacks a kind fails instead of counting zero; errors are asked with temperature 0 and kept in a transcript store;
the rule judge counts a reversed course as a false and an omitted comparison. The proof plants errors of known kind
and number in made-up reports (simulation) and words candidate and reference independently of each other.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError
from groundglass.metrics.judge import ERROR_KINDS, EndpointJudge, ErrorKind, JudgeError, error_disagreement
from groundglass.metrics.judge.replies import ReplyError, read_errors
from groundglass.metrics.reports import (
    CHEXPERT_5,
    CHEXPERT_14,
    ErrorCounts,
    RuleJudge,
    clinical_f1,
    count_all_errors,
    count_errors,
    judge_service,
)
from groundglass.metrics.reports.planted import mixed, plans_with_room, plant, verbalise
from groundglass.metrics.reports.planted.ladder import MOST
from groundglass.metrics.reports.planted.plan import kinds
from groundglass.metrics.text_overlap import rouge, rouge_stems, sacre_bleu
from groundglass.systems.proof import Claim, Proof
from groundglass.systems.report_probes import falling, real_reports
from groundglass.text import read_findings

ENTRY = "groundglass compare reports; groundglass.metrics.reports (metric part only)"

_SEED = 68
_REPLIES = 500
_PAIRS_PER_KIND = 100
_SERVED = 30


def prove(workdir: Path, data: Path | None) -> Proof:
    """Card 68's checks of the metric: replies, planted errors, monotone fall, references, a served judge."""
    judge = RuleJudge(read_findings, "groundglass.text")
    claims = [
        *_replies(),
        *_planted(judge),
        *falling(judge, workdir, seed=_SEED + 2),
        *_references(),
        *_served(judge, workdir),
        *real_reports(judge, data),
    ]
    return Proof(
        68,
        tuple(claims),
        seeds=(_SEED,),
        data=("openi-reports, train split",) if data else (),
        notes=(
            "Metric part only: the report model (BiomedCLIP-CXR encoder, two-stage training, LoRA), its simulation and "
            "the check of LoRA against its base model are not built and not claimed.",
            f"Judge: {judge.name}. Reports are made by a generator of {len(kinds())} chest radiograph findings whose "
            "words were written for it; real reports are harder to read.",
            *(() if data else ("Real reports were not at hand.",)),
            "Agreement with radiologists (ReXVal) was not measured: those reports are not open.",
        ),
    )


def _replies() -> list[Claim]:
    """Synthetic replies of a language model: right, or refused; never silently zero."""
    rng = np.random.default_rng(_SEED)
    right = refused = silent = 0
    for index in range(_REPLIES):
        counts = rng.integers(0, 4, (2, 6))
        complete = index % 5 != 0
        text = _reply(counts, rng, complete=complete)
        try:
            read = ErrorCounts.of(read_errors(text))
        except ReplyError:
            refused += not complete
            continue
        right += complete and (read.significant, read.insignificant) == tuple(map(tuple, counts.tolist()))
        silent += not complete
    complete_ones = sum(index % 5 != 0 for index in range(_REPLIES))
    return [
        Claim(
            f"{_REPLIES} synthetic replies (JSON, fenced, reasoned, letters): read right, or refused when a kind lacks",
            (right + refused) / _REPLIES,
            "1, none silently zero",
            right == complete_ones and refused == _REPLIES - complete_ones and silent == 0,
            baseline=0.0,
            simulated=True,
            detail={
                "complete": complete_ones,
                "with a kind missing": _REPLIES - complete_ones,
                "silently read": silent,
            },
        )
    ]


def _reply(counts: NDArray[np.int64], rng: np.random.Generator, *, complete: bool) -> str:
    """The counts as a model may write them; `complete=False` leaves one kind of one list out."""
    gap = None if complete else (int(rng.integers(2)), int(rng.integers(6)))
    style = int(rng.integers(4))
    if style == 3:
        opening, closing = ("(", ")") if rng.random() < 0.5 else ("[", "]")
        rows = [
            ", ".join(f"{opening}{'ABCDEF'[k]}, {counts[c][k]}{closing}" for k in range(6) if (c, k) != gap)
            for c in range(2)
        ]
        return (
            f"Number of clinically significant errors by type: [{rows[0]}]\n"
            f"Number of clinically insignificant errors by type: [{rows[1]}]\nExplanation: the effusion is larger."
        )
    body = json.dumps(
        {
            name: {
                kind.replace(" ", "_"): [f"error {n}" for n in range(counts[c][k])]
                for k, kind in enumerate(ERROR_KINDS)
                if (c, k) != gap
            }
            for c, name in enumerate(("significant", "insignificant"))
        }
    )
    return (body, f"```json\n{body}\n```", f"<think>{{three or four?}}</think> Here it is:\n{body}\nDone.")[style]


def _planted(judge: RuleJudge) -> list[Claim]:
    """k planted errors give k; one more gives one more; identical reports give none; swapping exchanges kinds."""
    rng = np.random.default_rng(_SEED + 1)
    exact: dict[ErrorKind, int] = {}
    for kind in ERROR_KINDS:
        exact[kind] = 0
        for plan in plans_with_room(_PAIRS_PER_KIND, rng):
            number = int(rng.integers(0, MOST + 1))
            pair = plant(plan, {kind: number}, rng)
            counts = count_errors(verbalise(pair.candidate, rng), verbalise(pair.reference, rng), judge)
            exact[kind] += counts.of_kind(kind) == counts.score == counts.total == number
    shares = {kind: count / _PAIRS_PER_KIND for kind, count in exact.items()}
    same, stepped, swapped = _laws(judge, rng)
    return [
        Claim(
            "planted errors of one kind (0 to 6), reworded: exact count and no other error, lowest share of any kind",
            min(shares.values()),
            ">= 0.98",
            min(shares.values()) >= 0.98,
            simulated=True,
            detail=dict(shares),
        ),
        Claim("identical reports: most errors of any", float(same), "0", same == 0, simulated=True),
        Claim(
            "one more planted significant error raises the score by exactly 1, share of 100",
            stepped,
            ">= 0.98",
            stepped >= 0.98,
            simulated=True,
        ),
        Claim(
            "swapping the reports exchanges A with B and E with F and leaves C and D, share of 100",
            swapped,
            "1",
            swapped == 1,
            simulated=True,
        ),
    ]


def _laws(judge: RuleJudge, rng: np.random.Generator) -> tuple[int, float, float]:
    most, stepped, swapped = 0, 0, 0
    plans = plans_with_room(100, rng)
    for plan in plans:
        counts: dict[ErrorKind, int] = {kind: int(rng.integers(0, 2)) for kind in ERROR_KINDS}
        more = {**counts, "false finding": counts["false finding"] + 1}
        reference = verbalise(plan, rng)
        most = max(most, count_errors(reference, reference, judge).total)
        seed = int(rng.integers(1 << 31))
        fewer_text, more_text = (
            verbalise(plant(plan, each, np.random.default_rng(seed)).candidate, rng) for each in (counts, more)
        )
        before, after = (count_errors(text, reference, judge) for text in (fewer_text, more_text))
        stepped += after.score == before.score + 1
        a, b, c, d, e, f = before.significant
        swapped += count_errors(reference, fewer_text, judge).significant == (b, a, c, d, f, e)
    return most, stepped / len(plans), swapped / len(plans)


def _references() -> list[Claim]:
    """Aggregation of label vectors as scikit-learn's (and so f1chexbert's); BLEU and ROUGE as their packages'."""
    try:
        from rouge_score.rouge_scorer import RougeScorer
        from sacrebleu import corpus_bleu
        from sklearn.metrics import precision_recall_fscore_support
    except ImportError as error:
        raise ConfigurationError(
            "proof of system 68", "compares with other packages", "Install the extra `test`."
        ) from error
    rng = np.random.default_rng(_SEED + 4)
    worst = 0.0
    for labels in (CHEXPERT_14, CHEXPERT_5):
        drawn = rng.choice([1.0, 0.0, -1.0, np.nan], (2, 300, len(labels)), p=[0.2, 0.3, 0.2, 0.3])
        tables = [
            {str(i): dict(zip(labels, row, strict=True)) for i, row in enumerate(rows.tolist())} for rows in drawn
        ]
        for uncertain in ("negative", "positive"):
            result = clinical_f1(tables[0], tables[1], labels=labels, uncertain=uncertain)  # type: ignore[arg-type]
            guess, truth = ((t == 1) | ((t == -1) & (uncertain == "positive")) for t in drawn)
            for average in ("micro", "macro", "weighted", "samples"):
                theirs = precision_recall_fscore_support(truth, guess, average=average, zero_division=0)[2]
                worst = max(worst, abs(getattr(result, average).f1 - float(theirs)))
    plans = plans_with_room(100, rng)
    said, real = ([verbalise(plan, rng) for plan in plans] for _ in range(2))
    bleu = abs(100 * sacre_bleu(said, real).score - corpus_bleu(said, [real]).score)
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    theirs_l = [scorer.score(truth, text)["rougeL"].fmeasure for text, truth in zip(said, real, strict=True)]
    ours_l = rouge(said, real, words=rouge_stems, kinds=("L",))["L"].f1
    return [
        _at_most("F1 over 14 and 5 labels and scikit-learn, largest difference", worst, 1e-12),
        _at_most("corpus BLEU-4 and sacrebleu, difference in points", bleu, 1e-4),
        _at_most("ROUGE-L and rouge-score, largest difference", float(np.abs(ours_l - np.array(theirs_l)).max()), 1e-4),
    ]


def _served(judge: RuleJudge, workdir: Path) -> list[Claim]:
    """The same judge behind an OpenAI-compatible server on this machine, asked by the endpoint judge."""
    rng = np.random.default_rng(_SEED + 5)
    pairs = []
    for plan in plans_with_room(_SERVED, rng):
        pair = plant(plan, mixed(4, rng), rng)
        pairs.append((verbalise(pair.candidate, rng), verbalise(pair.reference, rng)))
    workdir.mkdir(parents=True, exist_ok=True)
    store = workdir / "transcripts.sqlite"
    store.unlink(missing_ok=True)
    with judge_service(judge) as address:
        endpoint = EndpointJudge.at(address, "rules", store=store, attempts=1)
        agreement = error_disagreement(judge, endpoint, pairs).categories[0]
        requests = endpoint.usage.requests
    replayed = EndpointJudge.recorded("rules", store)
    again = count_all_errors(pairs, replayed)
    unknown = count_all_errors([(candidate + " Hiatal hernia.", truth) for candidate, truth in pairs], replayed)
    failed = sum(isinstance(answer, JudgeError) for answer in unknown)
    return [
        Claim(
            "errors by the judge served over HTTP and by the judge itself: share of reports with equal counts",
            agreement.agreement,
            "1, and the same from the transcripts without the server",
            agreement.agreement == 1 and again == [count_errors(*pair, judge) for pair in pairs],
            simulated=True,
            detail={"reports": _SERVED, "requests": requests},
        ),
        Claim(
            "questions that the transcripts do not hold: share that fails by name instead of counting no error",
            failed / len(pairs),
            "1",
            failed == len(pairs),
            baseline=0.0,
            simulated=True,
        ),
    ]


def _at_most(name: str, measured: float, limit: float) -> Claim:
    return Claim(name, float(measured), f"<= {limit:g}", bool(measured <= limit))
