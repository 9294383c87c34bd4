"""What a picture is and how it lies: chest radiograph or not, PA, AP or lateral, turned, mirrored, inverted grey."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from groundglass.classification.radiograph_picture import grey, square
from groundglass.classification.radiograph_side import MODEL as SIDE_MODEL
from groundglass.classification.radiograph_side import mirrored_logit
from groundglass.classification.turns import TURNS, Turn
from groundglass.core import Image

MODEL = "radiograph-view"
KINDS = ("frontal", "lateral", "not a chest radiograph")


@dataclass(frozen=True)
class RadiographView:
    """`kind` is one of KINDS; `view` "PA", "AP", "LATERAL" or None (no chest radiograph).

    `rotation`: degrees counter-clockwise by which the picture is turned (0, 90, 180, 270). `mirrored`: left and right
    are exchanged against the display convention, by a mirrored film or by situs inversus, which pixels alone
    cannot tell apart. `inverted`: bone is dark. `scores`: the probability of each decision that was taken.
    """

    kind: str
    view: str | None
    rotation: int
    mirrored: bool
    inverted: bool
    scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def turn(self) -> Turn:
        return Turn(self.rotation // 90, self.mirrored)

    @property
    def upright(self) -> bool:
        return self.rotation == 0 and not self.mirrored and not self.inverted

    def warnings(self) -> tuple[str, ...]:
        """What a reader of the report must know about how the picture lies."""
        notes = []
        if self.rotation:
            notes.append(
                f"The picture is turned by {self.rotation} degrees counter-clockwise; it was turned back for analysis."
            )
        if self.inverted:
            notes.append("The grey scale is inverted (bone dark); it was inverted back for analysis.")
        if self.mirrored:
            notes.append(
                "Mirrored film or situs inversus: left and right cannot be told from pixels; "
                "sides follow the display convention."
            )
        return tuple(notes)


def recognise_radiograph(image: Image) -> RadiographView:
    """Recognise a flat image with the built-in model `radiograph-view`.

    Raises UnsupportedError for a volume, InputError for a constant, empty or tiny image.
    """
    from groundglass.models import load_model

    model, side = load_model(MODEL), load_model(SIDE_MODEL)
    array = grey(image)
    answers = answer_variants(model.network, square(array, int(model.config["preprocessing"]["size"])).picture)
    small = square(array, int(side.config["preprocessing"]["size"])).picture
    return decide(
        answers, lambda turn, flipped: mirrored_logit(side.network, turn.undo(1 - small if flipped else small))
    )


def answer_variants(network: object, picture: NDArray[np.float32]) -> dict[tuple[int, bool], NDArray[np.float32]]:
    """The network's ten outputs for each of the eight turns and both polarities of the picture.

    Key (index into TURNS, inverted): what was done to the picture before it was shown.
    """
    import torch

    keys = [(i, inverted) for i in range(len(TURNS)) for inverted in (False, True)]
    shown = np.stack([TURNS[i].apply(1 - picture if inverted else picture) for i, inverted in keys])
    with torch.no_grad():
        outputs = network(torch.from_numpy((shown - 0.5) / 0.25)[:, None])  # type: ignore[operator]
    return {key: np.asarray(row) for key, row in zip(keys, outputs, strict=True)}


def decide(
    answers: Mapping[tuple[int, bool], NDArray[np.float32]], mirrored_log_odds: Callable[[Turn, bool], float]
) -> RadiographView:
    """One view from all variants: the quarter turn and polarity under which the answers agree best, by
    log-likelihood, and then the side.

    A picture in state s, shown after the turn g, is in state g s: every variant votes for each state of the
    picture, so that the decision does not depend on how the picture came in. `mirrored_log_odds(turn, inverted)`:
    how much the picture with this quarter turn and polarity taken back looks mirrored.
    """
    states = [(turn, inverted) for turn in TURNS for inverted in (False, True)]
    votes = np.zeros(len(states))
    for (shown, flipped), row in answers.items():
        logs = _state_logs(row)
        for k, (turn, inverted) in enumerate(states):
            votes[k] += logs[_composed(TURNS[shown], turn), int(inverted != flipped)]
    votes /= len(answers)
    # TURNS has the unmirrored half first: what the network itself thinks of the side is summed out.
    unsided = np.logaddexp(*np.split(votes, 2))
    turn, inverted = states[int(unsided.argmax())]
    log_odds = mirrored_log_odds(turn, inverted)
    turn = Turn(turn.quarters, log_odds > 0)
    weight = np.exp(unsided - unsided.max())
    weight /= weight.sum()
    # Kind and view are read where the picture stands upright with normal grey.
    upright = [
        row
        for (shown, flipped), row in answers.items()
        if flipped == inverted and _composed(TURNS[shown], turn) == TURNS.index(Turn())
    ]
    mean = np.mean(upright, axis=0)
    kinds = np.mean([_softmax(row[:3]) for row in upright], axis=0)
    kind = KINDS[int(kinds.argmax())]
    frontal = 1 / (1 + np.exp(-mean[3]))
    view = {"frontal": "AP" if frontal > 0.5 else "PA", "lateral": "LATERAL"}.get(kind)
    scores = {
        "kind": float(kinds.max()),
        "view": float(max(frontal, 1 - frontal)) if kind == "frontal" else float(kinds.max()),
        "state": float(weight.max()),
        "side": float(1 / (1 + np.exp(-abs(log_odds)))),
    }
    if kind == KINDS[2]:
        return RadiographView(kind, None, 0, False, False, scores)
    return RadiographView(kind, view, 90 * turn.quarters, turn.mirrored, inverted, scores)


def _state_logs(row: NDArray[np.float32]) -> NDArray[np.float64]:
    """Log-likelihood (8 turns, 2 polarities) of one row of outputs."""
    quarters = np.log(_softmax(row[4:8]) + 1e-6)
    mirrored, inverted = _log_pair(row[8]), _log_pair(row[9])
    return np.array([[quarters[t.quarters] + mirrored[int(t.mirrored)] + inverted[i] for i in (0, 1)] for t in TURNS])


def _composed(second: Turn, first: Turn) -> int:
    """Index in TURNS of doing `first` and then `second`."""
    # A mirror after a turn equals the opposite turn after the mirror.
    quarters = second.quarters + (-first.quarters if second.mirrored else first.quarters)
    return TURNS.index(Turn(quarters % 4, second.mirrored != first.mirrored))


def _softmax(values: NDArray[np.float32]) -> NDArray[np.float64]:
    spread = np.exp(values.astype(np.float64) - values.max())
    return np.asarray(spread / spread.sum())


def _log_pair(logit: np.float32) -> tuple[float, float]:
    """Logarithms of the probabilities of no and yes."""
    return -float(np.logaddexp(0, float(logit))), -float(np.logaddexp(0, -float(logit)))
