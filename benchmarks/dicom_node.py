"""Instances of 0.5 MB per second: from dcmtk as it comes into our node, and from our sender into Orthanc as it comes.

    PYTHONPATH=tests:tests/app python benchmarks/dicom_node.py

Needs dcmtk's storescu and Orthanc with its DICOMweb plug-in. Nothing sets TCP_NODELAY for them. Each figure is the best
of three runs on an empty folder; every run is counted at the receiver.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from node_studies import write_study
from running_node import STORESCU, RunningNode

from groundglass.io import Peer, Sender
from orthanc import MISSING, free_port, orthanc

COUNT, FEW = 300, 60


def into_node(files: list[Path], folder: Path, *options: str) -> float:
    """Instances per second that storescu stores in a node, its start and association included."""
    with RunningNode(folder, free_port(), *options, settle=3600) as node:
        environment = {k: v for k, v in os.environ.items() if k != "TCP_NODELAY"}
        command = [str(STORESCU), "-aec", "GROUNDGLASS", "127.0.0.1", str(node.port), "+sd", str(files[0].parent)]
        started = time.perf_counter()
        subprocess.run(command, check=True, env=environment)
        seconds = time.perf_counter() - started
        assert len(list(folder.glob("images/*/*.dcm"))) == len(files)
    return len(files) / seconds


def default_sender(peer: Peer, files: list[Path]) -> float:
    """Instances per second by pynetdicom as its documentation shows it."""
    from pydicom import dcmread
    from pynetdicom import AE
    from pynetdicom.sop_class import CTImageStorage

    entity = AE()
    entity.add_requested_context(CTImageStorage)
    association = entity.associate(peer.host, peer.port, ae_title=peer.aet)
    started = time.perf_counter()
    for file in files:
        assert association.send_c_store(dcmread(file)).Status == 0
    seconds = time.perf_counter() - started
    association.release()
    return len(files) / seconds


def our_sender(peer: Peer, files: list[Path]) -> float:
    """Instances per second by our sender, its associations included."""
    started = time.perf_counter()
    with Sender(peer) as sender:
        assert all(answer.is_stored for answer in sender.store(files))
    return len(files) / (time.perf_counter() - started)


def main() -> None:
    """Print the figures."""
    if MISSING or STORESCU is None:
        sys.exit(MISSING or "dcmtk is not installed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pixels = np.random.default_rng(0).integers(0, 3000, (COUNT, 512, 512)).astype(np.int16)
        files = write_study(folder / "slices", pixels, "CT")
        for label, options in (("", ()), (" --sync", ("--sync",))):
            best = max(into_node(files, folder / f"node{label}{run}", *options) for run in range(3))
            print(f"storescu -> groundglass node{label}: {best:.0f}/s")
        rates: dict[str, list[float]] = {"pynetdicom": [], "groundglass": []}
        for run in range(3):
            with orthanc(folder / f"orthanc{run}") as server:
                peer = Peer.parse(server.peer)
                # One after the other in one run, so that the load of the machine is that of both.
                rates["pynetdicom"].append(default_sender(peer, files[:FEW]))
                rates["groundglass"].append(our_sender(peer, files[FEW:]))
                assert len(server.instances()) == COUNT
        for name, values in rates.items():
            print(f"{name} -> Orthanc: {max(values):.0f}/s")
        print(f"ratio: {min(ours / theirs for theirs, ours in zip(*rates.values(), strict=True)):.1f} at least")


if __name__ == "__main__":
    main()
