"""Radiographs of a CT: geometry, line integrals, attenuation, and the CT's truth carried over."""

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "Exposure": "attenuation",
    "ProjectedFinding": "carried",
    "Radiograph": "radiograph",
    "XrayView": "view",
    "back_projection": "joseph",
    "carry_findings": "carried",
    "exact_line_integrals": "siddon",
    "expose": "attenuation",
    "grey": "display",
    "highest_on_rays": "siddon",
    "line_integrals": "joseph",
    "line_integrals_of": "joseph",
    "path_lengths": "siddon",
    "project_ct": "radiograph",
    "siddon_jacobs_view": "positions",
    "tool_values": "positions",
    "xray_view": "positions",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
