"""Is this installation what the lock says? Run after installing: `python -m groundglass.app.installation`."""

from __future__ import annotations

import re
import sys
from importlib import metadata

# torchvision beside a CPU torch breaks the import of transformers; nvidia-* are gigabytes that a CPU never uses.
_UNWANTED = re.compile(r"^(torchvision|torchaudio|nvidia-.*|triton)$")


def unwanted_distributions() -> list[str]:
    """Installed distributions that the core must not bring."""
    names = {(d.metadata["Name"] or "").lower() for d in metadata.distributions()}
    return sorted(name for name in names if _UNWANTED.match(name))


def core_megabytes(requirements: list[str]) -> float:
    """Size in MB (10^6 bytes) of the files of these distributions, as their own records list them."""
    total = 0
    for name in requirements:
        for file in metadata.distribution(name).files or []:
            path = file.locate()
            total += path.stat().st_size if path.is_file() else 0  # type: ignore[attr-defined]
    return total / 1e6


def main() -> int:
    """Exit status 0 when torch runs on this machine and nothing unwanted is there, else 2 with the remedy."""
    try:
        import torch
    except (ImportError, OSError) as error:
        sys.stderr.write(
            f"torch does not import ({error}). On Linux the default index may serve a CUDA build: run\n"
            "  make clean && make read TORCH_INDEX=<the index of CPU wheels that pytorch.org names>\n"
        )
        return 2
    found = unwanted_distributions()
    if found:
        sys.stderr.write(f"this environment holds {', '.join(found)}: run `make clean` and install again\n")
        return 2
    sys.stderr.write(f"groundglass is installed, torch {torch.__version__} on {torch.get_num_threads()} threads\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
