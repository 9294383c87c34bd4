"""Reads mutated files one after the other in a limited process, and says which it is at. Run by the fuzz test.

    python fuzz_child.py FOLDER FIRST LAST

For each number it prints "N start", then "N ok" or "N error TYPE"; anything but a GroundglassError ends it.
"""

from __future__ import annotations

import resource
import sys
import time
import traceback
from pathlib import Path

import numpy as np

SEEDS = "seeds"
EXTREMES = [b"\xff\xff", b"\x00\x00", b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\x00\x00\xc0\x7f"]


def mutate(content: bytes, rng: np.random.Generator) -> bytes:
    """Byte flips, a cut, an insertion, a deletion, or a field near the start set to an extreme."""
    mutated = bytearray(content)
    # Half of the mutations hit the header, where the claims are.
    reach = len(mutated) if rng.random() < 0.5 else min(len(mutated), 2048)
    at = int(rng.integers(reach))
    match int(rng.integers(5)):
        case 0:
            for _ in range(int(rng.integers(1, 12))):
                mutated[int(rng.integers(reach))] = int(rng.integers(256))
        case 1:
            del mutated[int(rng.integers(len(mutated))) :]
        case 2:
            mutated[at:at] = rng.integers(0, 256, int(rng.integers(1, 64)), dtype=np.uint8).tobytes()
        case 3:
            del mutated[at : at + int(rng.integers(1, 64))]
        case _:
            extreme = rng.choice(EXTREMES)
            mutated[at : at + len(extreme)] = extreme
    return bytes(mutated)


def say(*words: object) -> None:
    """One line to the test, at once: the next file may end this process."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def peak_kib() -> int:
    """Peak memory of this program in KiB; ru_maxrss would still count the process that started it."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])


def main() -> None:
    """Read files FIRST to LAST - 1 of the seeded sequence."""
    folder, first, last = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    from groundglass.core import GroundglassError
    from groundglass.io import read_image, read_mask, read_study

    seeds = sorted((folder / SEEDS).iterdir())
    for number in range(first, last):
        rng = np.random.default_rng(number)
        seed = seeds[number % len(seeds)]
        path = folder / f"{number}-{seed.name}"
        path.write_bytes(mutate(seed.read_bytes(), rng))
        say(number, "start")
        start = time.monotonic()
        try:
            study = read_study([path])
            arrays = [image.array for image in study.images]
            if "mask" in seed.name and arrays:
                read_mask(path, like=read_image(seed))
            outcome = "ok"
        except GroundglassError as error:
            outcome = f"error {type(error).__name__}"
        except BaseException:
            say(number, "unexpected", seed.name)
            traceback.print_exc()
            sys.exit(3)
        finally:
            path.unlink()
        taken = time.monotonic() - start
        grown = peak_kib()
        say(number, outcome, f"{taken:.2f}", grown // 1024, seed.name)


if __name__ == "__main__":
    main()
