"""A labelled chest CT to a labelled radiograph (PAXRay): classes, rules, projection, the published layout, phrases."""

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "LabelledFilm": "targets",
    "RadiographClass": "classes",
    "RadiographTarget": "targets",
    "ct_classes": "classes",
    "place_regions": "phrases",
    "radiograph_classes": "classes",
    "radiograph_target": "targets",
    "region_of": "phrases",
    "without_table": "classes",
    "write_labelled_films": "targets",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
