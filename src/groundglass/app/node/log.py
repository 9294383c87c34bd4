"""The node's log: what happened to which study, without saying whose it is."""

from __future__ import annotations

import hashlib
import logging
import re
import warnings

log = logging.getLogger("groundglass.node")
# UIDs of five components or more; versions and addresses have fewer.
_UID = re.compile(r"\d+(?:\.\d+){4,}(?:\.dcm)?")


class Scrubbed(logging.Formatter):
    """Takes UIDs out of every line: problems name files, and files are named by them."""

    def format(self, record: logging.LogRecord) -> str:
        return _UID.sub("UID", super().format(record))


def label(study: str) -> str:
    """A study's name in the log: its UID would tell whose it is."""
    return hashlib.sha256(study.encode()).hexdigest()[:10]


def set_up() -> None:
    """Log to stderr, and nothing else does: what libraries say of a data set may name the patient."""
    handler = logging.StreamHandler()
    handler.setFormatter(Scrubbed("%(asctime)s %(levelname)s %(message)s"))
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    log.propagate = False
    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
