"""Check 4 of system 76: attributes and change place by place, learnt on simulated patients with two films each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

from groundglass.classification import (
    CHANGES,
    PlaceFilms,
    class_activation_maps,
    heat_in_boxes,
    min_max,
    place_batch,
    place_changes,
    place_scores,
    swapped,
    train_image_attributes,
    train_place_attributes,
    train_place_change,
)
from groundglass.metrics.classification import PlaceAurocs, f_scores, mirrored_aurocs, place_aurocs
from groundglass.metrics.statistics import wilson
from groundglass.nets.place_net import PlaceChange
from groundglass.synthesis import SIGNS, FollowedChests, Sign, followed_chests
from groundglass.systems.proof import Claim
from groundglass.text.graph import place_tree

SIZE, TRAINED, TESTED = 128, 1200, 600
STEPS, CHANGE_STEPS = 1000, 1000
_LABELS = {
    "cardiomegaly": "enlarged cardiac silhouette",
    "effusion": "pleural effusion",
    "pneumothorax": "pneumothorax",
    "consolidation": "consolidation",
    "nodule": "mass/nodule (not otherwise specified)",
}
ATTRIBUTES = tuple(_LABELS.values())
PAIRED = ("lung", "apical zone", "upper lung zone", "mid lung zone", "lower lung zone", "costophrenic angle")
PLACES = (*(f"{side} {name}" for side in ("left", "right") for name in PAIRED), "cardiac silhouette")
_MIRRORED = [(PLACES.index(f"left {name}"), PLACES.index(f"right {name}")) for name in PAIRED]
_GROUPS = [place.removeprefix("left ").removeprefix("right ") for place in PLACES]
_ZONES = {"upper": "upper lung zone", "middle": "mid lung zone", "lower": "lower lung zone"}
_HOMES = {"effusion": "costophrenic angle", "pneumothorax": "apical zone"}
# Extents further apart than this share are a change: the simulation's are nearer than 1.04 or further apart than 1.09.
_SAME = 1.06


def home(sign: Sign) -> str:
    """The place that a sign is stated of."""
    if sign.side is None:
        return "cardiac silhouette"
    return f"{sign.side} {_HOMES.get(sign.name) or _ZONES[str(sign.zone)]}"


def attribute_films(chests: FollowedChests) -> PlaceFilms:
    """Every film by itself, with what is present and what is not: each sign in its own place and those above it.

    Nothing is stated of a sign in places that it does not belong to, nor where it lies outside the film and no other
    of its name is seen.
    """
    films = chests.films.reshape(-1, 1, *chests.films.shape[2:])
    boxes = chests.boxes.reshape(-1, 1, len(PLACES), 4)
    severity = chests.severity.reshape(len(films), -1)
    truth = np.full((len(films), len(PLACES), len(ATTRIBUTES)), -1.0)
    unknown = 0.5
    for sign, extent in zip(SIGNS, severity.T, strict=True):
        seen = np.where(np.isnan(extent), unknown, extent > 0)
        for place in {home(sign), *place_tree().ancestors(home(sign))} & set(PLACES):
            held = truth[:, PLACES.index(place), ATTRIBUTES.index(_LABELS[sign.name])]
            np.maximum(held, seen, out=held)
    return PlaceFilms(films, boxes, np.where(truth == unknown, -1, truth).astype(np.int64))


def change_films(chests: FollowedChests) -> PlaceFilms:
    """Pairs of films with the change of each sign that either shows, in the sign's own place.

    Nothing is stated of a place whose signs change differently.
    """
    truth = np.full((len(chests), len(PLACES)), -1)
    mixed = np.zeros(truth.shape, dtype=bool)
    before, after = chests.severity[:, 0], chests.severity[:, 1]
    for index, sign in enumerate(SIGNS):
        first, second = before[:, index], after[:, index]
        change = np.where(second > _SAME * first, 2, np.where(first > _SAME * second, 0, 1))
        known = ~np.isnan(first) & ~np.isnan(second) & ((first > 0) | (second > 0))
        place = PLACES.index(home(sign))
        mixed[:, place] |= known & (truth[:, place] >= 0) & (truth[:, place] != change)
        truth[known, place] = change[known]
    truth[mixed] = -1
    return PlaceFilms(chests.films, chests.boxes, truth[..., None])


def benchmark(workdir: Path, seed: int) -> list[Claim]:
    """Check 4. The patients of training and test are apart; networks that are compared are trained alike."""
    chests = followed_chests(TRAINED + TESTED, seed, PLACES, size=SIZE, cache=workdir / "followed.npz")
    training, test = chests.part(0, TRAINED), chests.part(TRAINED, len(chests))
    return [*_attributes(training, test, workdir, seed), *_change(training, test, workdir, seed)]


@dataclass(frozen=True)
class _Heat:
    """Localisation by the activation maps, in the way that suits them best."""

    way: str
    areas: PlaceAurocs


def _attributes(training: FollowedChests, test: FollowedChests, workdir: Path, seed: int) -> list[Claim]:
    films, asked = attribute_films(training), attribute_films(test)
    started = process_time()
    roi = train_place_attributes(films, folder=workdir / "places", steps=STEPS, seed=seed)
    graph = train_place_attributes(films, folder=workdir / "graph", steps=STEPS, graph=True, seed=seed)
    heat = _heat(films, asked, workdir, seed)
    scores, linked = place_scores(roi, asked), place_scores(graph, asked)
    found, by_graph = (place_aurocs(asked.truth, said, _GROUPS) for said in (scores, linked))
    located, graph_located = (mirrored_aurocs(asked.truth, said, _MIRRORED, PAIRED) for said in (scores, linked))
    gain = located.macro - heat.areas.macro
    return [
        Claim(
            "attributes in places: AUROC of the right place against the mirrored one, macro",
            located.macro,
            ">= 0.9",
            located.macro >= 0.9,
            baseline=heat.areas.macro,
            simulated=True,
            detail={
                **_named("", located),
                "with the graph of places": graph_located.macro,
                "AUROC of attributes, macro": found.macro,
                "AUROC of attributes, macro, with the graph of places": by_graph.macro,
                **_named("AUROC of ", found),
                "films trained on": len(films),
                "films tested": len(asked),
                "CPU seconds of three networks": round(process_time() - started),
            },
        ),
        Claim(
            "attributes in places: above the activation map of a classifier of whole films",
            gain,
            ">= 0.1",
            gain >= 0.1,
            baseline=heat.areas.macro,
            simulated=True,
            detail={"best way to read the map": heat.way, **_named("map: ", heat.areas)},
        ),
    ]


def _heat(films: PlaceFilms, asked: PlaceFilms, workdir: Path, seed: int) -> _Heat:
    """The best of four ways to read the maps, chosen on the test films: in favour of the maps."""
    network = train_image_attributes(films, folder=workdir / "whole", steps=STEPS, seed=seed)
    maps = class_activation_maps(network, place_batch(asked)[0])
    ways = {
        f"{stretch}, {point}": heat_in_boxes(held, asked.boxes[:, 0], hottest=point == "hottest point")
        for stretch, held in (("as it is", maps), ("stretched to 0..1", min_max(maps)))
        for point in ("mean of the box", "hottest point")
    }
    read = {way: mirrored_aurocs(asked.truth, heat, _MIRRORED, PAIRED) for way, heat in ways.items()}
    best = max(read, key=lambda way: read[way].macro)
    return _Heat(best, read[best])


def _named(before: str, areas: PlaceAurocs) -> dict[str, float]:
    return {f"{before}{place}, {ATTRIBUTES[index]}": area.value for (place, index), area in areas.each.items()}


def _change(training: FollowedChests, test: FollowedChests, workdir: Path, seed: int) -> list[Claim]:
    films, asked = change_films(training), change_films(test)
    both = train_place_change(films, folder=workdir / "change", steps=CHANGE_STEPS, seed=seed)
    alone = train_place_change(films, folder=workdir / "current", steps=CHANGE_STEPS, prior=False, seed=seed)
    stated = asked.stated[..., 0]
    truth = asked.truth[..., 0][stated]
    said, guessed = (_said(network, asked, stated) for network in (both, alone))
    turned_pairs = _said(both, swapped(asked), stated)
    changed = said != CHANGES.index("no change")
    turned = wilson(int((turned_pairs == 2 - said)[changed].sum()), int(changed.sum()))
    accuracy, baseline = float((said == truth).mean()), float((guessed == truth).mean())
    gain = accuracy - baseline
    places = np.broadcast_to(np.array(_GROUPS), stated.shape)[stated]
    by_place = {f"accuracy, {group}": float((said == truth)[places == group].mean()) for group in np.unique(places)}
    return [
        Claim(
            "change in places: accuracy above the current film alone",
            gain,
            ">= 0.15",
            gain >= 0.15,
            baseline=baseline,
            simulated=True,
            detail={
                "accuracy": accuracy,
                "macro F1": f_scores(truth, said, classes=range(3)).macro,
                "macro F1, current film alone": f_scores(truth, guessed, classes=range(3)).macro,
                **by_place,
                "places tested": len(truth),
                "pairs tested": len(asked),
            },
        ),
        Claim(
            "films swapped: improved and worsened swap",
            turned.naive,
            ">= 0.95",
            turned.naive >= 0.95,
            low=turned.low,
            high=turned.high,
            simulated=True,
            detail={
                "places said to change": int(changed.sum()),
                "all places": float((turned_pairs == 2 - said).mean()),
            },
        ),
    ]


def _said(network: PlaceChange, films: PlaceFilms, stated: NDArray[np.bool_]) -> NDArray[np.int64]:
    return place_changes(network, films)[stated].argmax(axis=-1)
