"""The command `groundglass node`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def node(
    data: Annotated[Path, typer.Option("--data", help="Folder for images, results and the queue.")],
    aet: Annotated[str, typer.Option(help="Application entity title of this node.")] = "GROUNDGLASS",
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 to be reached from other machines.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 11112,
    send: Annotated[list[str], typer.Option(help="Send results to AET@HOST:PORT by C-STORE.")] = [],  # noqa: B006
    stow: Annotated[list[str], typer.Option(help="Send results to this DICOMweb address by STOW-RS.")] = [],  # noqa: B006
    rules: Annotated[Optional[Path], typer.Option(help="YAML file: what is read how, and sent where.")] = None,  # noqa: UP045
    allow: Annotated[list[str], typer.Option(help="Calling title that is served; else all are.")] = [],  # noqa: B006
    commit: Annotated[
        list[str],
        typer.Option(help="AET@HOST:PORT that may ask for storage commitment, and where it is answered."),
    ] = [],  # noqa: B006
    settle: Annotated[
        float, typer.Option(min=0.1, help="Seconds without a new image after which a study is complete.")
    ] = 30.0,
    timeout: Annotated[float, typer.Option(min=1.0, help="Seconds that the reading of one study may take.")] = 1800.0,
    sync: Annotated[
        bool, typer.Option("--sync", help="Answer when an image is on the disk itself: safe from power cuts, slower.")
    ] = False,
    keep_days: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(min=0.0, help="Remove images this long after their study is done."),
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try what was given up once more.")] = False,
) -> None:
    """Receive studies by DICOM, read them, and send SEG and SR to an archive."""
    import signal

    from groundglass.app.node.log import set_up
    from groundglass.app.node.rules import read_rules
    from groundglass.app.node.service import Node, Settings
    from groundglass.core import ConfigurationError
    from groundglass.io.dicom_association import Peer, is_aet

    for title in (aet, *allow):
        if not is_aet(title):
            raise ConfigurationError(title, "is no application entity title", "Use 1 to 16 printable characters.")
    set_up()
    settings = Settings(
        folder=data,
        rules=read_rules(rules, [*send, *stow]),
        aet=aet,
        host=host,
        port=port,
        allow=tuple(allow),
        commit=tuple(Peer.parse(text) for text in commit),
        settle=settle,
        timeout=timeout,
        sync=sync,
        keep_days=keep_days,
    )
    running = Node(settings)
    if retry:
        running.ledger.retry()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: running.stop())
    running.run()
