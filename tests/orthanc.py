"""A real Orthanc with DICOMweb, started for a test on free ports, with its files in a temporary folder."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
PLUGINS = [
    path
    for folder in ("/usr/share/orthanc/plugins", "/usr/lib/orthanc/plugins", "/usr/local/share/orthanc/plugins")
    for path in Path(folder).glob("libOrthancDicomWeb.so*")
]
MISSING = "" if PROGRAM and PLUGINS else "Orthanc with its DICOMweb plug-in is not installed (Debian: orthanc-dicomweb)"


@dataclass(frozen=True)
class Orthanc:
    """The addresses of a running server."""

    folder: Path
    http: int
    dicom: int
    aet: str = "ORTHANC"

    @property
    def dicomweb(self) -> str:
        return f"http://127.0.0.1:{self.http}/dicom-web"

    @property
    def peer(self) -> str:
        return f"{self.aet}@127.0.0.1:{self.dicom}"

    def rest(self, path: str, *, send: Any = None, decode: bool = True) -> Any:
        """What Orthanc's own interface answers, to a POST where something is sent; its text where it is not JSON."""
        body = None if send is None else (send if isinstance(send, str) else json.dumps(send)).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", data=body, timeout=30) as answer:
            text = answer.read().decode()
        return json.loads(text) if decode else text

    def instances(self) -> list[dict[str, str]]:
        """Tags of every stored instance."""
        return [i["MainDicomTags"] for i in self.rest("/instances?expand")]


def free_port() -> int:
    """A port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def orthanc(folder: Path, **settings: Any) -> Iterator[Orthanc]:
    """A server with its own storage, stopped at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Orthanc(folder, free_port(), free_port())
    config = {
        "Name": "test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": server.http,
        "DicomPort": server.dicom,
        "DicomAet": server.aet,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "Plugins": [str(PLUGINS[0])],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        **settings,
    }
    (folder / "orthanc.json").write_text(json.dumps(config))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(PROGRAM), str(folder / "orthanc.json")], stdout=log, stderr=log)
    try:
        for _ in range(300):
            try:
                server.rest("/system")
                break
            except (urllib.error.URLError, ConnectionError):
                if process.poll() is not None:
                    raise RuntimeError((folder / "log").read_text()) from None
                time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        process.wait(30)
