"""Anatomy-centred scene graphs of chest radiograph reports, in the layout of Chest ImaGenome (arXiv 2108.00316).

    from groundglass import text
    from groundglass.text import graph
    stated = graph.scene_graph(text.read_report("Small left pleural effusion."), graph.Exam("img1", "s1", "p1"))
    spread = graph.propagated(stated)                   # positives to the places above, denials to those below
    linked = graph.with_comparisons(stated, previous)   # improved, worsened, no change against the exam before
    boxed = graph.with_boxes(linked, {"left lung": box}, shape)
    graph.to_json(boxed)                                # the published layout; graph.from_json reads it

A graph is a view: `graph.report_of` gives the findings back. 29 places carry boxes in the published data; they stand
with their parents and the other places in `data/places.json`, the attributes in `data/attributes.json`. Concepts are
coded as DICOM publishes them (SNOMED CT), not by UMLS, whose licence forbids it. Boxes come from the
image: `groundglass.reading.radiograph_places` finds them, none is made here.

The released files are read by `published_graphs(root)`, `published_split(root, "train")` (gold patients left out) and
`gold_boxes`, `gold_triples` and `gold_comparisons` of the same root.
"""

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "Exam": "scene",
    "GoldComparison": "published_gold",
    "PlaceNode": "scene",
    "PlacePhrase": "scene",
    "PublishedImage": "published",
    "Relation": "scene",
    "SceneGraph": "scene",
    "SceneObject": "scene",
    "Triple": "scoring",
    "boxed_places": "places",
    "check_sequence": "comparison",
    "from_json": "document",
    "gold_boxes": "published_gold",
    "gold_comparisons": "published_gold",
    "gold_triples": "published_gold",
    "image_level": "propagation",
    "place_tree": "places",
    "places_of_finding": "places",
    "propagated": "propagation",
    "published_graphs": "published",
    "published_split": "published",
    "report_of": "findings",
    "scene_graph": "build",
    "to_json": "document",
    "to_triples": "rdf",
    "triple_scores": "scoring",
    "trusted_boxes": "published",
    "triples": "scoring",
    "with_boxes": "boxes",
    "with_comparisons": "comparison",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
