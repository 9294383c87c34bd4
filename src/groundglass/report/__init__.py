"""Findings to words and pages, and words back to findings."""

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "Statement": "templates",
    "Templates": "templates",
    "Pair": "written",
    "beside": "written",
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
    "written_reports": "written",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
