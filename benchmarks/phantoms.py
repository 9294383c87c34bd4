"""Speed of phantoms: seconds per case with masks, report and questions, and what more processes give.

    python benchmarks/phantoms.py [--cases 4] [--workers 2]

Prints JSON: processor seconds per case and kind in one process; chest CT of 96^3 per second with one process and with
`--workers`, and their ratio (the start of the processes included).
"""

from __future__ import annotations

import argparse
import json
import time

from groundglass.synthesis import make_phantom, phantom_kinds, stream_phantoms


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    seconds = {}
    for kind in phantom_kinds():
        make_phantom(kind, 5, asked.cases)
        start = time.process_time()
        for index in range(asked.cases):
            make_phantom(kind, 5, index)
        seconds[kind] = round((time.process_time() - start) / asked.cases, 3)
    rates = {}
    for workers in (1, asked.workers):
        start = time.perf_counter()
        count = sum(1 for _ in stream_phantoms("chest-ct", 16 * asked.cases, 5, workers=workers, shape=(96, 96, 96)))
        rates[workers] = count / (time.perf_counter() - start)
    speedup = rates[asked.workers] / rates[1]
    print(json.dumps({"seconds": seconds, "per second": rates, "speed-up": round(speedup, 2)}, indent=1))


if __name__ == "__main__":
    main()
