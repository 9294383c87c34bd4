"""System 8's grounding: which region of a film a sentence speaks of, beside proposals that know no anatomy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from groundglass.learn.region_matching import RegionExample, RegionMatcher, train_region_matching
from groundglass.synthesis.chest_labels import place_regions, region_of
from groundglass.systems.paxray_trials import SIZE, Chests, Place, claim
from groundglass.systems.proof import Claim

STEPS, GRID = 1500, 7
Bool = NDArray[np.bool_]
# A film's number, its regions and sentences -> (sentences, S / 4, S / 4), a region of each.
Choose = Callable[[int, RegionExample, Sequence[str]], NDArray[np.float32]]


def grounding(workdir: Path, training: Chests, test: Chests, found: Mapping[str, Bool]) -> list[Claim]:
    """Check 3: sentences with side and zone, the best region's middle against the true zone's box. `found`: the
    network's masks of the training and the test films. Regions of anatomy have names, so that words come first, and
    what was learnt from the sentences takes the rest; proposals have what was learnt alone."""
    hits: dict[str, float] = {}
    detail: dict[str, float | int | str] = {}
    shuffled = 0.0
    for name in ("anatomy", "grid", "segments"):
        matcher = train_region_matching(_examples(training, found["training"], name), folder=workdir / name,
                                        steps=STEPS, seed=8)  # fmt: skip
        asked = _examples(test, found["test"], name)
        hits[name] = _hit_rate(_as_learnt(matcher), test, asked)
        if name == "anatomy":
            choose = _words_first(matcher, test, found["test"])
            detail["anatomy without words, hits (%)"] = round(hits[name], 1)
            hits[name] = _hit_rate(choose, test, asked)
            shuffled = _hit_rate(choose, test, asked, others=np.random.default_rng(8))
            detail["a region by chance (%)"] = round(_chance(test, asked), 1)
            detail["sentences"] = sum(len(p.sentences) for places in test.places for p in places)
    detail |= {f"{name}, hits (%)": round(rate, 1) for name, rate in hits.items()}
    margin = hits["anatomy"] - max(hits["grid"], hits["segments"])
    chance = _same_place(test)
    return [
        claim("grounding: hits with regions of anatomy above the better of two proposals (points)", margin, ">= 20",
              margin >= 20, 0.0, **detail),
        claim("the same with sentences of other films: hits (%)", shuffled, "<= sentences of the same place + 10",
              shuffled <= chance + 10, chance),
    ]  # fmt: skip


def _examples(chests: Chests, found: Bool, kind: str) -> list[RegionExample]:
    made = []
    for number, picture in enumerate(chests.films.pictures):
        masks = {
            "anatomy": lambda n=number: list(place_regions(chests.masks(n, found[n])).values()),
            "grid": lambda: _grid_boxes(),
            "segments": lambda p=picture: _segment_boxes(p),
        }[kind]()
        said = [(s, f"{place.side} {place.zone}") for place in chests.places[number] for s in place.sentences]
        sentences, meanings = zip(*said, strict=True) if said else ((), ())
        made.append(RegionExample(picture, _quarter(np.stack(masks)), sentences, meanings))
    return made


def _grid_boxes() -> list[Bool]:
    edges = np.linspace(0, SIZE, GRID + 1).round().astype(int)
    boxes = []
    for row in range(GRID):
        for column in range(GRID):
            box = np.zeros((SIZE, SIZE), dtype=bool)
            box[edges[row] : edges[row + 1], edges[column] : edges[column + 1]] = True
            boxes.append(box)
    return boxes


def _segment_boxes(picture: NDArray[np.float32]) -> list[Bool]:
    """Boxes of a graph segmentation at three scales (Felzenszwalb), which selective search starts from."""
    from skimage.segmentation import felzenszwalb

    boxes: dict[tuple[int, ...], Bool] = {}
    for scale in (20, 60, 150):
        labels = felzenszwalb(picture, scale=scale, sigma=0.8, min_size=60)
        for number in range(labels.max() + 1):
            rows, columns = np.nonzero(labels == number)
            ends = (int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1)
            box = np.zeros(picture.shape, dtype=bool)
            box[ends[0] : ends[1], ends[2] : ends[3]] = True
            boxes[ends] = box
    return list(boxes.values())


def _quarter(masks: Bool) -> NDArray[np.float32]:
    """(R, S, S) -> (R, S / 4, S / 4), shares of pixels."""
    return masks.reshape(len(masks), SIZE // 4, 4, SIZE // 4, 4).mean(axis=(2, 4), dtype=np.float32)


def _as_learnt(matcher: RegionMatcher) -> Choose:
    return lambda number, example, said: example.regions[matcher.scores(example, said).argmax(axis=1)]


def _words_first(matcher: RegionMatcher, chests: Chests, found: Bool) -> Choose:
    """The region that a sentence names; what was learnt for one that names none that the network found."""
    learnt = _as_learnt(matcher)

    def choose(number: int, example: RegionExample, said: Sequence[str]) -> NDArray[np.float32]:
        masks = chests.masks(number, found[number])
        regions = {row: region_of(sentence, masks) for row, sentence in enumerate(said)}
        named = {row: region for row, region in regions.items() if region is not None and region.any()}
        unnamed = [row for row in range(len(said)) if row not in named]
        chosen = np.zeros((len(said), *example.regions.shape[1:]), dtype=np.float32)
        if named:
            chosen[list(named)] = _quarter(np.stack(list(named.values())))
        if unnamed:
            chosen[unnamed] = learnt(number, example, [said[row] for row in unnamed])
        return chosen

    return choose


def _hit_rate(
    choose: Choose, chests: Chests, asked: list[RegionExample], *, others: np.random.Generator | None = None
) -> float:
    """% of sentences whose region's middle lies in the box of the zone where their finding is; with `others`,
    sentences are drawn from other films."""
    hits = []
    for number, example in enumerate(asked):
        for place in chests.places[number]:
            sentences = place.sentences if others is None else _foreign(chests, number, len(place.sentences), others)
            hits += [_is_hit(region, chests, number, place) for region in choose(number, example, sentences)]
    return 100 * float(np.mean(hits))


def _foreign(chests: Chests, number: int, count: int, rng: np.random.Generator) -> list[str]:
    every = [s for n, places in enumerate(chests.places) if n != number for place in places for s in place.sentences]
    return [str(sentence) for sentence in rng.choice(every, count)]


def _same_place(chests: Chests) -> float:
    """% of pairs of places of two films that are the same side and zone."""
    held = [(number, place.side, place.zone) for number, places in enumerate(chests.places) for place in places]
    pairs = [one[1:] == other[1:] for one in held for other in held if one[0] != other[0]]
    return 100 * float(np.mean(pairs))


def _chance(chests: Chests, asked: list[RegionExample]) -> float:
    """% of hits of a region drawn evenly from those of the film."""
    rates = []
    for number, example in enumerate(asked):
        for place in chests.places[number]:
            rates.append(np.mean([_is_hit(region, chests, number, place) for region in example.regions]))
    return 100 * float(np.mean(rates))


def _is_hit(region: NDArray[np.float32], chests: Chests, number: int, place: Place) -> bool:
    truth = region_of(f"{place.side} {place.zone} zone", chests.masks(number))
    if truth is None or not region.any():
        return False
    rows, columns = np.nonzero(truth)
    share = region / region.sum()
    row, column = (4 * float((share.sum(axis=1 - axis) * np.arange(len(region))).sum()) + 1.5 for axis in (0, 1))
    return bool(rows.min() <= row <= rows.max() and columns.min() <= column <= columns.max())
