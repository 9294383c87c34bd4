"""A study in, findings out: which parser fits, and one parser per kind of study."""

from groundglass.reading.parser import Parser, Request
from groundglass.reading.read import read_findings

__all__ = ["Parser", "Request", "read_findings"]
