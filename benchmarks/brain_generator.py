"""Domain-randomised brains: volumes of 96^3 per second, in one process and in two, beside torchio on the same labels.

torchio paints, deforms, biases, blurs and adds noise to one label map, one image at a time; ours does that and makes
the target, the structures and partial volume, four images an item. Rates are by the wall clock and by processor
seconds, which say what a busy machine's would be when it is quiet.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import torch

from groundglass.synthesis.brain_id import BrainItems, template_subject


def ours(seed: int, items: int) -> tuple[int, float, float]:
    """(volumes, seconds, processor seconds) of one process with one thread, the template already made."""
    torch.set_num_threads(1)
    template_subject()
    stream = iter(BrainItems(seed=seed))
    next(stream)
    started, begun = time.perf_counter(), time.process_time()
    volumes = sum(len(next(stream).images) for _ in range(items))
    return volumes, time.perf_counter() - started, time.process_time() - begun


def peer(volumes: int) -> tuple[int, float, float]:
    """(volumes, seconds, processor seconds) of torchio's transforms on a crop of the same labels."""
    import torchio

    torch.set_num_threads(1)
    labels = template_subject().structures[60:156, 60:156, 60:156][None]
    chain = torchio.Compose(
        [
            torchio.RandomLabelsToImage(label_key="labels", image_key="image"),
            torchio.RandomAffine(scales=(0.8, 1.2), degrees=15),
            torchio.RandomElasticDeformation(num_control_points=7, max_displacement=7),
            torchio.RandomGamma(log_gamma=(-0.1, 0.1)),
            torchio.RandomBiasField(),
            torchio.RandomAnisotropy(downsampling=(1, 5)),
            torchio.RandomNoise(std=(0, 0.05)),
        ]
    )
    subject = torchio.Subject(labels=torchio.LabelMap(tensor=labels))
    chain(subject)
    started, begun = time.perf_counter(), time.process_time()
    for _ in range(volumes):
        chain(subject)
    return volumes, time.perf_counter() - started, time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    volumes, seconds, processor = ours(0, arguments.items)
    theirs, their_seconds, their_processor = peer(max(4, arguments.items // 4))
    with ProcessPoolExecutor(arguments.processes, mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(ours, range(1, arguments.processes + 1), [arguments.items] * arguments.processes))
    figures = {
        "load": round(os.getloadavg()[0], 1),
        "volumes of 96^3 per second, one thread": round(volumes / seconds, 1),
        "volumes of 96^3 per processor second": round(volumes / processor, 1),
        f"volumes of 96^3 per second, {arguments.processes} processes": round(sum(v / s for v, s, _ in parts), 1),
        "torchio, one thread": round(theirs / their_seconds, 2),
        "torchio, per processor second": round(theirs / their_processor, 2),
        "ratio (processor seconds)": round(volumes / processor / (theirs / their_processor), 1),
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
