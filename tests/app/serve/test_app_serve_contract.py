"""The OpenAPI document is kept: requests made from it, good and bad, find no 5xx and no answer that it does not know.

Schemathesis makes the requests. Ids in them are mostly those of a study, a finding, a session and a job that exist, so
that more than 404s is seen. `benchmarks/serve_contract.py` is the same with many more requests.
"""

from __future__ import annotations

import pytest

pytest.importorskip("schemathesis")

from contract import check_operations


def test_requests_of_the_document_get_answers_of_the_document(server, volume):
    study = server.study(volume)["id"]
    assert server.read(study)["state"] == "done"
    counted = check_operations(server, study, examples=3, seed=1)
    assert not counted.failures, "\n\n".join(f"{k}\n{v}" for k, v in counted.failures.items())
    assert counted.operations >= 40 and counted.requests >= 4 * counted.operations
    assert counted.statuses[200] > 20 and not [status for status in counted.statuses if status >= 500]
