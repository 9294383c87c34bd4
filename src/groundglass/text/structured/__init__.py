"""Structured forms: a template is data, an answer carries the words that it rests on (arXiv 2403.18938).

    from groundglass.text import structured
    form = structured.fill(structured.template("chest-xray"), "Small left pleural effusion. No pneumothorax.")
    form["effusion"].value                              # "present"
    structured.to_response(form)                        # FHIR QuestionnaireResponse as plain JSON

Rules fill a form from findings and from an item's own words. A model is any callable that answers a prompt with a
text (and, where it has one, a probability): `ask` cuts a long report into batches, asks each, and joins the answers.
No model ships. Scores are `groundglass.metrics.structured_form`.
"""

from groundglass.core.lazy import lazy_exports

_EXPORTS = {
    "Answer": "answer",
    "Form": "form",
    "Item": "registry",
    "NOT_REPORTED": "answer",
    "Template": "registry",
    "ask": "asking",
    "batches": "cutting",
    "combine": "combination",
    "fill": "filling",
    "first_batch": "cutting",
    "from_dict": "form",
    "from_response": "fhir",
    "parse_answer": "answer",
    "read_template": "registry",
    "template": "registry",
    "template_file": "registry",
    "templates": "registry",
    "to_dict": "form",
    "to_questionnaire": "fhir",
    "to_response": "fhir",
    "training_samples": "asking",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
__all__ = sorted(_EXPORTS)
