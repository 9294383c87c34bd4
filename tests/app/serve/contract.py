"""Requests made by schemathesis from a server's own OpenAPI document, and what the answers are checked for."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import Failure, FailureGroup

load_all_checks()

# Operations that end what the others need get ids of their own making only.
_ENDS = {
    "delete_study",
    "delete_finding",
    "delete_image",
    "delete_image_at_root",
    "delete_label",
    "end_session",
    "cancel_job",
}
# Well-formed requests of these may still mean nothing: a word that is no term, a slice or point outside of the image, a
# form without a file, a path that is not there. They answer 422, which a schema cannot foretell.
_MEANING = {
    "add_study", "read_study", "add_finding", "add_prompt", "accept", "session_slice", "begin_session", "infer",
    "put_image", "put_image_at_root", "put_label", "put_session",
}  # fmt: skip
# In a form every field is text: what is wrong by type alone cannot be seen.
_FORMS = {"add_study", "infer", "put_image", "put_image_at_root", "put_label", "put_session"}


@dataclass
class Counted:
    """What was asked and answered. `failures` holds each kind once, with the request that shows it."""

    operations: int = 0
    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)


def known_ids(server: Any, study: str) -> dict[str, str]:
    """Ids that exist, by the name of the parameter."""
    http = server.http
    finding = http.post(f"/studies/{study}/findings", json={"term": "kidney", "image": "i1", "point": [12, 16, 8]})
    assert finding.status_code == 201, finding.text
    session = http.post(f"/studies/{study}/images/i1/sessions")
    return {
        "study_id": study,
        "image_id": "i1",
        "finding_id": finding.json()["id"],
        "session_id": session.json()["session"],
        "job_id": http.get(f"/studies/{study}").json()["job"],
        "image": f"{study}-i1",
        "label": f"{study}-i1",
    }


def check_operations(server: Any, study: str, *, examples: int, seed: int) -> Counted:
    """Ask every operation so many times well and so many times badly; nothing is raised, all is counted."""
    config = schemathesis.Config.from_dict({"seed": seed})
    schema = schemathesis.openapi.from_url(f"{server.url}/api/v1/openapi.json", config=config)
    counted = Counted()
    known = known_ids(server, study)
    for result in schema.get_all_operations():
        counted.operations += 1
        operation = result.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _check(operation, mode, server, known, counted, examples, seed)
    return counted


def _check(
    operation: Any, mode: GenerationMode, server: Any, known: dict[str, str], counted: Counted, examples: int, seed: int
) -> None:
    name = operation.definition.raw.get("operationId")
    without = [CHECKS.get_one("positive_data_acceptance")] * (name in _MEANING) + [
        CHECKS.get_one("negative_data_rejection")
    ] * (name in _FORMS)

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        counted.requests += 1
        if name not in _ENDS and counted.requests % 4:
            _with_known(case, known)
        try:
            answer = case.call(base_url=server.url)
            counted.statuses[answer.status_code] += 1
            case.validate_response(answer, excluded_checks=without)
        except FailureGroup as group:
            for failure in group.exceptions:
                _note(failure, operation, case, counted)
        except Failure as failure:
            _note(failure, operation, case, counted)

    # Nothing can be wrong with a request of an operation that takes nothing.
    with contextlib.suppress(hypothesis.errors.Unsatisfiable):
        ask()


def _with_known(case: Any, known: dict[str, str]) -> None:
    """Put ids that exist in the places that hold well-formed ones."""
    components = case.meta.components if case.meta is not None else {}
    for location, held in (("path_parameters", case.path_parameters), ("query", case.query)):
        part = next((info for where, info in components.items() if where.container_name == location), None)
        if held and part is not None and part.mode.is_positive:
            for name in held:
                if name in known:
                    held[name] = known[name]


def _note(failure: Any, operation: Any, case: Any, counted: Counted) -> None:
    key = f"{operation.label}: {failure.title}"
    counted.failures.setdefault(key, f"{failure.message}\n{case.as_curl_command()[:1500]}")
