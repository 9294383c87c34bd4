"""Valid answers and forms made at random, for proofs and tests."""

from __future__ import annotations

import numpy as np

from groundglass.text.structured.answer import Answer
from groundglass.text.structured.form import Form
from groundglass.text.structured.registry import Item, Template


def random_answer(item: Item, rng: np.random.Generator) -> Answer:
    """A valid answer: in form, with raw words, and where a model gave it a probability and a place."""
    many = item.type == "choices" or item.several
    if item.type == "number":
        value = "; ".join(f"{x:g}" for x in sorted({int(v) / 4 for v in rng.integers(1, 900, 3 if many else 1)}))
    elif item.values:
        names = list(item.values)
        chosen = set(rng.choice(names, size=int(rng.integers(1, len(names) + 1)) if many else 1, replace=False))
        value = "; ".join(name for name in names if name in chosen)
    else:
        value = {
            "yes-no": str(rng.choice(["yes", "no"])),
            "date": f"20{rng.integers(10, 30)}-0{rng.integers(1, 10)}-1{rng.integers(0, 10)}",
            "text": f"words {rng.integers(1000)}, and more",
        }[item.type]
    start = int(rng.integers(1000))
    return Answer(
        value,
        item.unit,
        f"raw {value}",
        float(rng.random()) if rng.random() < 0.5 else None,
        (start, start + 9) if rng.random() < 0.5 else None,
        "filled",
    )


def random_form(template: Template, rng: np.random.Generator) -> Form:
    """A form with about half of its items answered, as far as their parents allow it."""
    return Form(template, {item.id: random_answer(item, rng) for item in template if rng.random() < 0.5})
