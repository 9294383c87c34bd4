"""A fine grain that is one patient's own: what a network can recognise a patient by instead of a finding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def with_patient_texture(
    films: NDArray[np.float32], patients: NDArray[np.int64], seed: int, *, strength: float = 0.05
) -> NDArray[np.float32]:
    """Films (N, H, W) with two gratings of amplitude `strength` (in the films' units) each on top.

    Direction and period (3 to 12 pixels) depend on the seed and the patient (N,) alone; their phase is drawn for each
    film, so that no pixel is the same in two films of a patient.
    """
    rows, columns = np.mgrid[: films.shape[1], : films.shape[2]]
    drawn = np.random.default_rng((seed, 0))
    grained = np.empty_like(films)
    for number, (film, patient) in enumerate(zip(films, patients, strict=True)):
        own = np.random.default_rng((seed, 1, int(patient)))
        turn, period, phase = own.uniform(0, np.pi, 2), own.uniform(3, 12, 2), drawn.uniform(0, 2 * np.pi, 2)
        grain = np.zeros(film.shape)
        for angle, wave, shift in zip(turn, period, phase, strict=True):
            along = np.cos(angle) * rows + np.sin(angle) * columns
            grain += np.cos(2 * np.pi * along / wave + shift)
        grained[number] = film + strength * grain
    return grained
