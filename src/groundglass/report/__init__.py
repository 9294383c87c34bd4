"""Findings to words and pages, and words back to findings."""

from importlib import import_module

_EXPORTS = {
    "Statement": "templates",
    "Templates": "templates",
    "compare_readings": "comparison",
    "compose": "composer",
    "conflicts": "templates",
    "parse": "templates",
    "read_table": "templates",
    "restyle": "restyler",
    "say": "templates",
    "shipped_templates": "templates",
    "key_pictures": "pictures",
    "render_html": "html",
    "render_text": "plain",
    "resolve_contradictions": "contradictions",
    "statements_of": "binding",
    "unstated": "verify",
    "unsupported": "verify",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> object:
    if name in _EXPORTS:
        return getattr(import_module(f"groundglass.report.{_EXPORTS[name]}"), name)
    raise AttributeError(name)
