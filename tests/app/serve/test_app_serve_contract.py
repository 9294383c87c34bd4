"""The OpenAPI document is kept: requests made from it, good and bad, find no 5xx and no answer that it does not know.

Schemathesis makes the requests. Ids in them are mostly those of a study, a finding, a session and a job that exist, so
that more than 404s is seen. The slow test is the same with thousands of requests.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("schemathesis")

from contract import check_operations


@pytest.fixture(scope="module")
def study(server, volume):
    """A study with a report."""
    study = server.study(volume)["id"]
    assert server.read(study)["state"] == "done"
    return study


def kept(server, study, *, examples, seed):
    """Ask, and demand that nothing failed."""
    counted = check_operations(server, study, examples=examples, seed=seed)
    assert not counted.failures, "\n\n".join(f"{k}\n{v}" for k, v in counted.failures.items())
    assert not [status for status in counted.statuses if status >= 500]
    return counted


def test_requests_of_the_document_get_answers_of_the_document(server, study):
    counted = kept(server, study, examples=3, seed=1)
    assert counted.operations >= 40 and counted.requests >= 4 * counted.operations
    assert counted.statuses[200] > 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 5))
def test_many_more_requests(server, study, seed):
    counted = kept(server, study, examples=40, seed=seed)
    assert counted.requests > 2000


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 7])
def test_the_tool_s_own_phases_pass(server, study, seed):
    """Boundary values, missing headers, methods that are not there, and chains of requests that create and use."""
    program = Path(sys.executable).with_name("schemathesis")
    command = [
        program, "run", f"{server.url}/api/v1/openapi.json", "--phases", "coverage,stateful", "--max-examples", "8",
        "--exclude-checks", "positive_data_acceptance", "--seed", str(seed), "--continue-on-failure",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[done.stdout.find("FAILURES") :][:6000]
