"""Report pairs for the tests of text overlap: synthetic reports, their corruptions, and texts that break tokenisers."""

from __future__ import annotations

import random

SENTENCES = (
    "The heart is normal in size.",
    "The cardiac silhouette is mildly enlarged, unchanged from prior.",
    "No pneumothorax, pleural effusion, or focal consolidation.",
    "There is a 3.5 x 2.1 cm mass in the right upper lobe (segment 3), previously 2.8 x 1.9 cm.",
    "Small left-sided pleural effusion with adjacent atelectasis.",
    "Endotracheal tube tip is 4 cm above the carina; NG tube isn't seen.",
    "Stable T7-T8 degenerative changes.",
    "Calcified granulomas are noted bilaterally, approx. 5 mm.",
    "IMPRESSION: 1. No acute disease. 2. Follow-up CT in 3-6 months.",
    "Patient's pacemaker leads are in place, e.g. the right atrial lead.",
    "Exam at 3:45 p.m. The lungs are hyperexpanded and clear.",
    "Dr. Smith was paged; he can't be reached.",
    "Interstitial markings are increased, suggesting edema vs. atypical infection.",
    "There's no evidence of free air under the diaphragm!",
    "Bony structures intact. No rib fractures.",
    "Ground-glass opacities w/o cavitation, 50% of LUL/RUL.",
)

ADVERSARIAL = (
    "",
    " ",
    ".",
    "no",
    "No",
    "...",
    "((()))",
    "\u201cClear\u201d \u2013 na\u00efve \u00b5m 37\u00b0 \u00b12 \u2026",
    "\u80ba\u708e \u306a\u3057 \u0431\u0435\u0437 \u043f\u0430\u0442\u043e\u043b\u043e\u0433\u0438\u0438",
    "XXXX XXXX XXXX",
    "no no no no no no no no",
    "a a a b a a a b a b b b a a",
    "1 1/2 cm, 1,000.5 mL; 1/2/2020 12:30",
    "He said \"clear\" and 'normal' -- done",
    "tabs\tand\nlines\r\n here",
    "&quot;x&quot; &amp; y &lt;5 &gt;3",
    "a--b a/b a_b A&B C++ #1 @x 5% $3",
    "cannot gonna don't won't it's patients' 'tis",
    "heart." * 3,
    "word " * 400,
)


def report(rng: random.Random) -> str:
    return " ".join(rng.sample(SENTENCES, rng.randint(1, 7)))


def corrupted(text: str, rng: random.Random) -> str:
    """Words dropped, doubled, swapped or replaced."""
    words = text.split(" ")
    for _ in range(rng.randint(0, 12)):
        place = rng.randrange(len(words))
        other = rng.randrange(len(words))
        change = rng.randrange(4)
        if change == 0 and len(words) > 1:
            words.pop(place)
        elif change == 1:
            words.insert(place, words[other])
        elif change == 2:
            words[place], words[other] = words[other], words[place]
        else:
            words[place] = rng.choice(("no", "left", "large", "XXXX", "2.2", "opacity,", "is", "effusion."))
    return " ".join(words)


def pairs(seed: int, count: int) -> tuple[list[str], list[list[str]]]:
    """Candidates with one to three references each; a tenth adversarial on either side, a tenth empty."""
    rng = random.Random(seed)
    candidates, references = [], []
    for _ in range(count):
        truth = [report(rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
        said = corrupted(rng.choice(truth), rng) if rng.random() < 0.8 else report(rng)
        if rng.random() < 0.1:
            said = rng.choice(ADVERSARIAL)
        if rng.random() < 0.1:
            truth[0] = rng.choice(ADVERSARIAL)
        candidates.append(said)
        references.append(truth)
    for index, text in enumerate(ADVERSARIAL[: count // 4]):
        candidates[index] = text
        references[-1 - index] = [text]
    return candidates, references
