"""DeepGrow: one click gives an organ, further clicks correct it.

Sakinis et al. (arXiv 1903.08205), whose method lives on as `monai.apps.deepgrow`. The simulated user, its click
distribution, the regions of error and the guidance maps are here beside MONAI's. What differs: the loss is Dice with
cross-entropy, at thirty times the rate, since the training is a matter of minutes; the network trains without the
simulated user at first; it looks through a window that follows the mask, as the form in use does, and gives each of
2 x 2 pixels a logit of its own. Training and tests are in small, on simulated abdomens (`deepgrow_trials`); nothing
ships.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from groundglass.segmentation.interactive import ClassicalEngine, Session, guidance_map
from groundglass.synthesis import click_weights, deep_click, discrepancy, smooth_noise
from groundglass.systems.deepgrow_trials import FIRST, PATIENTS, SECOND, trials
from groundglass.systems.proof import Claim, Proof

ENTRY = "groundglass.segmentation.interactive.DeepGrowEngine, groundglass.synthesis.correcting_click"

SEED = 94
DRAWS = 20_000
PAIRS = 100
SIDE = 32


def prove(workdir: Path, data: Path | None) -> Proof:
    """Card 94's checks; those that need a trained network in small."""
    claims = [_guidance(), *_click_statistics(), _regions(), *trials(workdir), _undo()]
    notes = (
        f"Reduced: a 2D network of 1.5 million weights at 128 pixels, {FIRST} steps with first clicks alone and "
        f"{SECOND} with the simulated user, batches of 8, {PATIENTS} simulated abdomens; Dice is measured on slices of "
        "256 pixels.",
        "The test user clicks the deepest pixel of the largest wrong part; training never does.",
        "Rivals get the same click, and the picture's border as the outside.",
    )
    return Proof(94, tuple(claims), (SEED, SEED + 1), (), notes)


def _guidance() -> Claim:
    """Maps of one to six clicks, among them neighbours and clicks outside, beside MONAI's AddGuidanceSignald."""
    from monai.apps.deepgrow.transforms import AddGuidanceSignald

    rng, peer = np.random.default_rng(SEED), AddGuidanceSignald(sigma=2)
    blank, worst = np.zeros((1, SIDE, SIDE), dtype=np.float32), 0.0
    for _ in range(PAIRS):
        clicks = rng.integers(0, SIDE + 2, (int(rng.integers(1, 6)), 2))
        clicks = np.concatenate([clicks, clicks[:1] + np.array([0, 1])])
        theirs = peer._get_signal(blank, [[[0, *click] for click in clicks.tolist()], []])
        worst = max(worst, float(np.abs(guidance_map((SIDE, SIDE), clicks) - theirs[0]).max()))
    return Claim("largest difference of guidance maps from MONAI's", worst, "< 1e-6", worst < 1e-6, simulated=True)


def _click_statistics() -> list[Claim]:
    """Chi-square of drawn clicks on an L-shape: ours, MONAI's first clicks and MONAI's corrections."""
    from monai.apps.deepgrow.transforms import AddInitialSeedPointd, AddRandomGuidanced

    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[4:28, 5:11] = mask[21:28, 5:26] = True
    label, rng = mask[None].astype(np.float32), np.random.default_rng(SEED)
    first = AddInitialSeedPointd(connected_regions=1)
    later = AddRandomGuidanced()
    # Both draw in the same way: with one seed they would be one sample.
    for peer, seed in ((first, SEED), (later, SEED + 1)):
        peer.set_random_state(seed)
    ours = _counts(mask, lambda: deep_click(mask, rng)[0])
    peers = {
        "AddInitialSeedPointd": _counts(mask, lambda: first._apply(label, None)[0][0][1:]),
        "AddRandomGuidanced": _counts(mask, lambda: later.find_guidance(label)[1:]),
    }
    expected = DRAWS * click_weights(mask)
    figures = [("ours against the formula", _chance([ours], expected))]
    figures += [(f"ours against {name}", _chance([ours, counts], expected)) for name, counts in peers.items()]
    return [
        Claim(f"clicks on an L-shape, {name}: p of chi-square", p, "> 0.01", p > 0.01, simulated=True)
        for name, p in figures
    ]


def _counts(mask: NDArray[np.bool_], draw: Callable[[], object]) -> NDArray[np.float64]:
    """How often each pixel is clicked in `DRAWS` draws."""
    counts = np.zeros(mask.shape)
    for _ in range(DRAWS):
        row, column = np.asarray(draw(), dtype=np.intp)
        counts[row, column] += 1
    return counts


def _chance(samples: list[NDArray[np.float64]], expected: NDArray[np.float64]) -> float:
    """p of one sample against the expected counts, or of two against each other; rare pixels share one bin, and a click
    where none can fall gives 0."""
    from scipy.stats import chi2_contingency, chisquare

    if any(counts[expected == 0].any() for counts in samples):
        return 0.0
    common, rare = expected >= 5, (expected > 0) & (expected < 5)
    rows = [*samples, expected] if len(samples) == 1 else samples
    binned = [np.append(row[common], row[rare].sum() if rare.any() else []) for row in rows]
    if len(samples) == 1:
        return float(chisquare(*binned).pvalue)
    return float(chi2_contingency(np.stack(binned)).pvalue)


def _regions() -> Claim:
    """What was missed and what was spilled, pixel by pixel, beside MONAI's FindDiscrepancyRegionsd."""
    from monai.apps.deepgrow.transforms import FindDiscrepancyRegionsd

    rng, different = np.random.default_rng(SEED), 0
    for _ in range(PAIRS):
        truth, guess = (smooth_noise((SIDE, SIDE), rng, 4.0) > 0 for _ in range(2))
        theirs = FindDiscrepancyRegionsd.disparity(truth.astype(np.float32), guess.astype(np.float32))
        ours = discrepancy(truth, guess)
        different += any(not np.array_equal(one, other > 0) for one, other in zip(ours, theirs, strict=True))
    name = f"pairs whose regions of error differ from MONAI's, of {PAIRS}"
    return Claim(name, float(different), "0", different == 0, simulated=True)


def _undo() -> Claim:
    """A disc with noise, five clicks, and every mask met again on the way back."""
    rng = np.random.default_rng(SEED)
    rows, columns = np.indices((64, 64)) - 32
    session = Session((np.hypot(rows, columns) < 14) + rng.normal(0, 0.3, (64, 64)), engine=ClassicalEngine())
    masks = []
    for point, inside in (((32, 32), True), ((4, 4), False), ((40, 32), True), ((60, 30), False), ((32, 22), True)):
        masks.append(session.mask)
        session.click(point, inside)
    changed = 0
    for before in reversed(masks):
        session.undo()
        changed += not np.array_equal(session.mask, before)
    distinct = len({mask.tobytes() for mask in masks})
    return Claim("undone steps whose mask is not the earlier one, of 5", float(changed), "0", changed == 0,
                 simulated=True, detail={"different masks": distinct})  # fmt: skip
