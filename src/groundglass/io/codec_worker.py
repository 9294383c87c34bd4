"""A child process that decodes compressed frames, so that a native decoder can crash without taking the reader along.

Run as a script. Requests on stdin, answers on stdout: a 4-byte length and JSON, then as many bytes as the JSON says.
"""

import json
import sys
from typing import BinaryIO


def read_message(stream: BinaryIO) -> tuple[dict, bytes] | None:
    """The next message's fields and content; None at the end of the stream."""
    size = stream.read(4)
    if len(size) < 4:
        return None
    fields = json.loads(stream.read(int.from_bytes(size, "little")))
    return fields, stream.read(fields["bytes"])


def write_message(stream: BinaryIO, fields: dict, content: bytes | memoryview) -> None:
    """Send fields and content as one message."""
    text = json.dumps({**fields, "bytes": len(content)}).encode()
    stream.write(len(text).to_bytes(4, "little") + text)
    stream.write(content)
    stream.flush()


def _limit_memory(size: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit; a crash is still confined to this process.
        return
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _serve() -> None:
    import os
    import warnings

    from pydicom import config
    from pydicom.pixels import get_decoder
    from pydicom.uid import UID

    warnings.simplefilter("ignore")
    config.settings.reading_validation_mode = config.IGNORE
    # Native libraries may write to stdout; answers go to a private copy of it.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while (message := read_message(sys.stdin.buffer)) is not None:
        fields, content = message
        try:
            uid = UID(fields["transfer_syntax"])
            options = {"transfer_syntax_uid": uid, **fields["options"]}
            array, _ = get_decoder(uid).as_array(content, decoding_plugin=fields["plugin"], **options)
            body = array.tobytes()
            write_message(answers, {"shape": array.shape, "dtype": array.dtype.str}, body)
        except Exception as error:
            write_message(answers, {"error": f"{type(error).__name__}: {str(error)[:300]}"}, b"")


if __name__ == "__main__":
    _limit_memory(6 << 30)
    _serve()
