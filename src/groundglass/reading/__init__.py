"""A study in, findings out: which parser fits, and one parser per kind of study."""

from groundglass.reading.parser import Parser, Request
from groundglass.reading.places import radiograph_places
from groundglass.reading.read import read_findings
from groundglass.reading.recognise import recognise_study

__all__ = ["Parser", "Request", "radiograph_places", "read_findings", "recognise_study"]
