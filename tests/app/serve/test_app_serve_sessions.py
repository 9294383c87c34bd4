"""Interactive segmentation over the wire is the session of `segmentation.interactive`, step for step."""

from __future__ import annotations

import gzip
import io

import nibabel
import numpy as np
import PIL.Image
import pytest

from groundglass.io import read_image
from groundglass.segmentation.interactive import Session


@pytest.fixture(scope="module")
def study(server, volume):
    return server.study(volume)["id"]


@pytest.fixture
def session(server, study):
    answer = server.http.post(f"/studies/{study}/images/i1/sessions")
    assert answer.status_code == 201, answer.text
    yield answer.json()["session"]
    server.http.delete(f"/sessions/{answer.json()['session']}")


def prompt(server, session, kind, points, **more):
    answer = server.http.post(f"/sessions/{session}/prompts", json={"kind": kind, "points": points, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def mask(server, session):
    content = server.http.get(f"/sessions/{session}/mask.nii.gz").content
    return np.asarray(nibabel.Nifti1Image.from_bytes(gzip.decompress(content)).dataobj) != 0


def png(server, session, **query):
    return np.asarray(
        PIL.Image.open(io.BytesIO(server.http.get(f"/sessions/{session}/slice.png", params=query).content))
    )


def test_every_step_is_that_of_a_local_session(server, session, volume):
    local = Session(read_image(volume), axis=2)
    state = prompt(server, session, "click", [[16, 12]], slice=8)
    local.click((16, 12), slice=8)
    assert state["revision"] == 1 and state["slice"] == 8 and state["can_undo"] and not state["can_redo"]
    assert state["voxels"] == int(local.mask.sum()) > 20
    assert np.array_equal(mask(server, session), local.mask)
    prompt(server, session, "scribble", [[4, 4], [6, 20]], slice=8, positive=False)
    local.scribble([(4, 4), (6, 20)], positive=False, slice=8)
    prompt(server, session, "click", [[16, 12]], slice=10)
    local.click((16, 12), slice=10)
    assert np.array_equal(mask(server, session), local.mask)
    assert np.array_equal(png(server, session, axis=2, index=8) > 0, local.mask[:, :, 8])
    assert np.array_equal(png(server, session, axis=0, index=12) > 0, local.mask[12])
    server.http.post(f"/sessions/{session}/undo")
    local.undo()
    assert np.array_equal(mask(server, session), local.mask)
    state = server.http.post(f"/sessions/{session}/redo").json()
    local.redo()
    assert state["revision"] == 3 and not state["can_redo"]
    state = server.http.post(f"/sessions/{session}/propagate").json()
    local.propagate()
    assert state["voxels"] == int(local.mask.sum())
    assert np.array_equal(mask(server, session), local.mask)
    state = server.http.post(f"/sessions/{session}/reset").json()
    assert state["revision"] == state["voxels"] == 0 and not mask(server, session).any()


def test_a_dead_worker_costs_no_step(server, session, volume):
    prompt(server, session, "click", [[16, 12]], slice=8)
    prompt(server, session, "click", [[16, 12]], slice=9)
    server.http.post(f"/sessions/{session}/undo")
    before = mask(server, session)
    server.desk._bench._process.kill()
    server.desk._bench._process.join(10)
    assert np.array_equal(mask(server, session), before)
    state = server.http.post(f"/sessions/{session}/redo").json()
    local = Session(read_image(volume), axis=2)
    local.click((16, 12), slice=8)
    local.click((16, 12), slice=9)
    assert state["revision"] == 2 and np.array_equal(mask(server, session), local.mask)


def test_what_is_accepted_is_a_finding_with_its_mask(server, study, session, volume):
    nothing = server.http.post(f"/sessions/{session}/accept", json={"term": "brain tumor"})
    assert nothing.status_code == 422
    prompt(server, session, "click", [[16, 12]], slice=8)
    drawn = mask(server, session)
    unknown = server.http.post(f"/sessions/{session}/accept", json={"term": "gargoyle"})
    assert unknown.status_code == 422 and "ontology" in unknown.json()["detail"]
    answer = server.http.post(f"/sessions/{session}/accept", json={"term": "left kidney", "sentence": "Seen by eye."})
    assert answer.status_code == 201, answer.text
    finding = answer.json()
    assert (finding["term"], finding["side"], finding["source"]) == ("kidney", "left", "person")
    voxel = abs(np.linalg.det(nibabel.load(volume).affine[:3, :3]))
    assert finding["volume_ml"] == pytest.approx(drawn.sum() * voxel / 1000, rel=1e-5)
    content = server.http.get(f"{server.url}{finding['mask_url']}").content
    assert np.array_equal(np.asarray(nibabel.Nifti1Image.from_bytes(gzip.decompress(content)).dataobj) != 0, drawn)
    legend = server.http.get(f"/studies/{study}/images/i1/labels.json").json()["labels"]
    assert [(row["name"], row["finding"]) for row in legend] == [("left kidney", finding["id"])]


def test_the_worker_lets_images_go_and_sessions_come_back(server, volume, monkeypatch):
    from groundglass.app.serve import bench
    from groundglass.segmentation.interactive import Prompt

    monkeypatch.setattr(bench, "_MAX_IMAGES", 2)
    clicks = (Prompt("click", ((16.0, 12.0),), True, 8, 2),)
    places = [server.desk.opened(server.study(volume)["id"]) for _ in range(3)]
    standings = [bench.Standing(str(n), place, "i1", None, clicks) for n, place in enumerate(places)]
    voxels = {bench.step(print, standing, "redo").voxels for standing in standings}
    assert len(bench._images) == 2 and set(bench._sessions) == {"1", "2"}
    assert voxels == {bench.step(print, standings[0], "redo").voxels} and voxels != {0}


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "click", "points": [[1, 2], [3, 4]], "slice": 1},
        {"kind": "box", "points": [[1, 2]], "slice": 1},
        {"kind": "click", "points": [[5000, 5000]], "slice": 1},
        {"kind": "click", "points": [[1, 2]], "slice": 5000},
        {"kind": "click", "points": [], "slice": 1},
        {"kind": "wand", "points": [[1, 2]]},
        {"kind": "click", "points": [["a", 2]]},
    ],
)
def test_a_prompt_that_makes_no_sense_changes_nothing(server, session, wanted):
    answer = server.http.post(f"/sessions/{session}/prompts", json=wanted)
    assert answer.status_code == 422, answer.text
    assert server.http.post(f"/sessions/{session}/undo").json()["revision"] == 0


def test_sessions_are_bounded_and_expire(serve, volume):
    with serve(limits={"sessions": 2, "sessions_per_minute": 3, "session_idle": 0.5}) as held:
        begin = f"/studies/{held.study(volume)['id']}/images/i1/sessions"
        first = held.http.post(begin).json()["session"]
        assert held.http.post(begin).status_code == 201
        assert held.http.post(begin).status_code == 429
        import time

        time.sleep(0.7)
        assert held.http.post(f"/sessions/{first}/undo").status_code == 404
        assert held.http.post(begin).status_code == 201
        over = held.http.post(begin)
        assert over.status_code == 429 and "minute" in over.json()["detail"]
