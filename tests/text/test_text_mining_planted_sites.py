"""Sentences that name a site: all of them can be mined, and none keeps its numbers."""

from __future__ import annotations

import re

import numpy as np

from groundglass.text.mining import Site, mined, planted_grounding, random_site, without_numbers


def test_every_sentence_can_be_mined_and_loses_its_numbers() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        site, suv, place = random_site(rng), round(float(rng.uniform(3, 20)), 1), int(rng.integers(20, 90))
        text = planted_grounding(rng, site, suv_max=suv, slice=place, others=(random_site(rng, but=site),))
        (row,) = mined(text)
        assert (row.suv_max, row.slice, row.dropped) == (suv, place, ""), text
        words = without_numbers(text)
        assert f"{suv:.1f}" not in words and str(place) not in re.findall(r"\d+", words), words


def test_a_sentence_names_its_side_and_organ() -> None:
    rng = np.random.default_rng(1)
    site = Site("node", "hilum", "left")
    texts = [planted_grounding(rng, site, suv_max=5.0, slice=30, beside=0.0, vague=0.0) for _ in range(50)]
    assert all("left" in text.lower() and ("hilar" in text or "hilum" in text) for text in texts)
    assert len(set(texts)) > 15
    vague = planted_grounding(rng, site, suv_max=5.0, slice=30, beside=0.0, vague=1.0)
    assert "left" not in vague and "hil" not in vague
