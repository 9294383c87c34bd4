"""The node's log: what happened to which study, without saying whose it is."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger("groundglass.node")
# UIDs of five components or more; versions and addresses have fewer.
_UID = re.compile(r"\d+(?:\.\d+){4,}(?:\.dcm)?")
PAUSE_SECONDS = 5.0


class Scrubbed(logging.Formatter):
    """Takes UIDs out of every line: problems name files, and files are named by them."""

    def format(self, record: logging.LogRecord) -> str:
        return _UID.sub("UID", super().format(record))


def label(study: str) -> str:
    """A study's name in the log: its UID would tell whose it is."""
    return hashlib.sha256(study.encode()).hexdigest()[:10]


@contextmanager
def going_on(what: str, stop: threading.Event, then: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Log an error that nobody foresaw (a full disk under the ledger, say), call `then`, and pause before going on.

    What is to be done stands in the ledger and on disk, so it is done later. The message stays out of the log, because
    it may hold what a log should not.
    """
    try:
        yield
    except Exception as error:
        if not stop.is_set():
            where = traceback.extract_tb(error.__traceback__)[-1]
            log.error("%s: %s in %s:%d", what, type(error).__name__, Path(where.filename).name, where.lineno)
            then()
            stop.wait(PAUSE_SECONDS)


def set_up() -> None:
    """Log to stderr, and nothing else does: what libraries say of a data set may name the patient."""
    handler = logging.StreamHandler()
    handler.setFormatter(Scrubbed("%(asctime)s %(levelname)s %(message)s"))
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    log.propagate = False
    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
