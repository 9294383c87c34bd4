"""RadCliQ: report metrics combined so that the sum predicts a radiologist's error count (Yu et al., Patterns 2023).

RadCliQ-v1 standardises four metrics and adds them with weights fitted on 160 annotated report pairs; lower is better.
Its published numbers belong to its own components: the mean of RadGraph's entity and relation F1 by the RadGraph
model, BERTScore (distilroberta-base, rescaled), the cosine of CheXbert's embeddings, and BLEU-2. With other components
(the graph F1 of this package, another encoder) the formula still ranks, but the number is not RadCliQ-v1's: fit your
own with `LinearComposite.fit` and say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core import InputError


@dataclass(frozen=True, slots=True)
class LinearComposite:
    """score = intercept + sum of weight * (value - mean) / scale over the named components."""

    name: str
    components: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def __call__(self, values: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
        """Scores of n reports from n values per component. Raises InputError on missing, NaN or ragged components."""
        columns = _columns(values, self.components)
        standard = (columns - np.asarray(self.means)) / np.asarray(self.scales)
        scores: NDArray[np.float64] = standard @ np.asarray(self.weights) + self.intercept
        return scores

    @classmethod
    def fit(
        cls, name: str, values: Mapping[str, ArrayLike], errors: ArrayLike, components: Sequence[str] | None = None
    ) -> LinearComposite:
        """Least squares of error counts (n) on standardised components, as RadCliQ was made.

        Raises InputError when a component is constant, NaN or there are not more reports than components.
        """
        names = tuple(components or values)
        columns = _columns(values, names)
        target = np.asarray(errors, dtype=float)
        if target.shape != (len(columns),) or not np.isfinite(target).all():
            raise InputError("error counts", f"are not {len(columns)} finite numbers", "Give one per report.")
        scales = columns.std(axis=0)
        if len(columns) <= len(names) or not scales.all():
            raise InputError(
                name, "cannot be fitted to so few or constant values", "Give more reports than components."
            )
        means = columns.mean(axis=0)
        design = np.column_stack([(columns - means) / scales, np.ones(len(columns))])
        solution = np.linalg.lstsq(design, target, rcond=None)[0]
        return cls(
            name,
            names,
            tuple(means.tolist()),
            tuple(scales.tolist()),
            tuple(solution[:-1].tolist()),
            float(solution[-1]),
        )


RADCLIQ_V1 = LinearComposite(
    name="RadCliQ-v1",
    components=("radgraph", "bertscore", "chexbert similarity", "bleu-2"),
    means=(0.5379231241355762, 0.6175725628125001, 0.7647942121140658, 0.44738335396242174),
    scales=(0.3028258411486429, 0.22430938459304575, 0.2539439110169773, 0.2989271671041838),
    weights=(-0.37708368261038905, -0.37030009974480316, -0.25261621789593225, 4.315048405024756e-12),
    intercept=2.466552561323256e-10,
)
"""The released coefficients; BLEU's weight is zero but for rounding."""


def _columns(values: Mapping[str, ArrayLike], names: Sequence[str]) -> NDArray[np.float64]:
    missing = [name for name in names if name not in values]
    if missing:
        raise InputError(", ".join(missing), "is missing among the components", f"Give {', '.join(names)}.")
    arrays = [np.atleast_1d(np.asarray(values[name], dtype=float)) for name in names]
    if len({array.shape for array in arrays}) != 1 or arrays[0].ndim != 1:
        raise InputError("components", "differ in length", "Give one value per report and component.")
    columns = np.column_stack(arrays)
    if not np.isfinite(columns).all():
        raise InputError("components", "hold NaN or infinite values", "Leave out reports without a score.")
    return columns
