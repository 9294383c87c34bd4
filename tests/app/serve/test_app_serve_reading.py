"""A study is read, looked at, reviewed and exported; every export follows the reviewer."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
import zipfile

import nibabel
import numpy as np
import pydicom
import pytest


@pytest.fixture(scope="module")
def read(server, radiograph):
    """A radiograph that was read: its id."""
    study = server.study(radiograph)["id"]
    job = server.read(study, clinical="Cough for two weeks.")
    assert job["state"] == "done", job
    return study


def report(server, study):
    answer = server.http.get(f"/studies/{study}/report")
    assert answer.status_code == 200, answer.text
    return answer.json()


def array(server, url):
    answer = server.http.get(url if url.startswith("/studies") else f"{server.url}{url}")
    assert answer.status_code == 200, answer.text
    return np.asarray(nibabel.Nifti1Image.from_bytes(gzip.decompress(answer.content)).dataobj)


def test_a_study_that_was_not_read_has_no_report_yet(server, radiograph):
    study = server.study(radiograph)["id"]
    for path in (f"/studies/{study}/report", f"/studies/{study}/export/json"):
        answer = server.http.get(path)
        assert answer.status_code == 409 and answer.json()["type"].endswith(":not-read"), answer.text
    assert server.http.get(f"/studies/{'0' * 20}/report").status_code == 404


def test_progress_is_streamed_and_can_be_followed_again(server, read):
    job = server.http.get(f"/studies/{read}").json()["job"]
    events = server.events(job)
    assert [name for name, _ in events[:-1]] == ["progress"] * (len(events) - 1) and events[-1][0] == "done"
    assert "measuring" in [data["message"] for _, data in events[:-1]]
    assert events[-1][1]["result"] == f"/api/v1/studies/{read}/report"
    with server.http.stream("GET", f"/jobs/{job}/events", headers={"Last-Event-ID": str(len(events) - 1)}) as later:
        assert sum(line.startswith("event: ") for line in later.iter_lines()) == 1


def test_the_report_says_where_everything_is(server, read):
    held = report(server, read)
    assert "bits" not in str(held["document"])
    assert any("Cough for two weeks." in str(section) for section in held["document"]["report"]["sections"])
    masked = [finding for finding in held["findings"] if finding["mask_url"]]
    assert {"heart", "lung"} <= {finding["term"] for finding in masked}
    labels = array(server, f"/studies/{read}/images/i1/labels.nii.gz")
    legend = server.http.get(f"/studies/{read}/images/i1/labels.json").json()["labels"]
    assert {row["finding"]: row["index"] for row in legend} == {f["id"]: f["label"] for f in masked}
    for finding in masked:
        mask = array(server, finding["mask_url"])
        at = tuple(int(v) for v in finding["seed_voxel"])
        assert mask[at] == 1, finding
        hits = np.argwhere(mask[..., 0])
        assert finding["box"] == {"start": hits.min(0).tolist(), "stop": (hits.max(0) + 1).tolist()}
        # What the map shows under this number is part of this mask.
        assert (labels == finding["label"]).any() and not (mask[labels == finding["label"]] == 0).any()
    image = server.http.get(f"/studies/{read}/images").json()["images"][0]
    heart = next(finding for finding in masked if finding["term"] == "heart")
    row, column = heart["seed_voxel"]
    assert np.allclose(heart["seed_mm"], [column * image["spacing"][1], -row * image["spacing"][0], 0], atol=1e-3)


def test_exports_follow_the_review(server, read):
    before = report(server, read)
    heart = next(f for f in before["findings"] if f["term"] == "heart" and f["mask_url"])
    lung = next(f for f in before["findings"] if f["term"] == "lung" and f["side"] == "right" and f["mask_url"])
    said = server.http.patch(f"/studies/{read}/findings/{heart['id']}", json={"verdict": "rejected"})
    assert said.status_code == 200 and said.json()["verdict"] == "rejected"
    words = "The right lung was looked at by a person <b>&</b> is fine."
    said = server.http.patch(f"/studies/{read}/findings/{lung['id']}", json={"verdict": "accepted", "sentence": words})
    assert said.json()["sentence"] == words

    document = server.http.get(f"/studies/{read}/export/json").json()
    ids = [finding["id"] for finding in document["report"]["findings"]]
    assert heart["id"] not in ids and lung["id"] in ids and document["review"]["rejected"] == [heart["id"]]
    named = [i for s in document["report"]["sections"] for t in s["sentences"] for i in t.get("findings", [])]
    assert heart["id"] not in named and words in str(document["report"]["sections"])

    page = server.http.get(f"/studies/{read}/export/html")
    assert "was looked at by a person &lt;b&gt;&amp;&lt;/b&gt; is fine." in page.text
    assert "sandbox" in page.headers["content-security-policy"]

    with zipfile.ZipFile(io.BytesIO(server.http.get(f"/studies/{read}/export/nifti").content)) as archive:
        names = archive.namelist()
    assert "right-lung.nii.gz" in names and "heart.nii.gz" not in names

    seg = pydicom.dcmread(io.BytesIO(server.http.get(f"/studies/{read}/export/seg").content))
    labels = [segment.SegmentLabel for segment in seg.SegmentSequence]
    assert not any("heart" in label.lower() for label in labels) and any("lung" in label.lower() for label in labels)
    sr = pydicom.dcmread(io.BytesIO(server.http.get(f"/studies/{read}/export/sr").content))
    texts = [str(item.value) for item in sr.iterall() if item.keyword == "TextValue"]
    assert sr.Modality == "SR" and words in texts

    again = server.http.patch(f"/studies/{read}/findings/{heart['id']}", json={"verdict": "open"})
    assert again.json()["verdict"] == "open"
    document = server.http.get(f"/studies/{read}/export/json").json()
    assert heart["id"] in [finding["id"] for finding in document["report"]["findings"]]


def test_fhir_holds_what_stands(server, read):
    pytest.importorskip("fhir.resources")
    before = server.http.get(f"/studies/{read}/export/fhir")
    assert before.status_code == 200 and before.headers["content-type"] == "application/fhir+json"
    bundle = before.json()
    assert bundle["resourceType"] == "Bundle"
    heart = next(f for f in report(server, read)["findings"] if f["term"] == "heart" and f["mask_url"])
    server.http.patch(f"/studies/{read}/findings/{heart['id']}", json={"verdict": "rejected"})
    after = server.http.get(f"/studies/{read}/export/fhir").json()
    server.http.patch(f"/studies/{read}/findings/{heart['id']}", json={"verdict": "open"})
    count = [
        sum(entry["resource"]["resourceType"] == "Observation" for entry in each["entry"]) for each in (bundle, after)
    ]
    assert count[1] < count[0]


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_the_pdf_holds_the_report(server, read):
    answer = server.http.get(f"/studies/{read}/export/pdf")
    assert answer.status_code == 200 and answer.content.startswith(b"%PDF-") and len(answer.content) > 20_000
    assert answer.headers["content-type"] == "application/pdf"


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy")
@pytest.mark.parametrize("kind", ["seg", "sr"])
def test_exported_dicom_is_standard(server, read, tmp_path, kind):
    path = tmp_path / f"{kind}.dcm"
    path.write_bytes(server.http.get(f"/studies/{read}/export/{kind}").content)
    said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True).stderr
    assert not [line for line in said.splitlines() if line.startswith("Error")], said


def test_a_finding_by_hand_is_in_the_report_until_it_is_deleted(server, read):
    wanted = {"term": "lung nodule", "image": "i1", "point": [200.0, 150.5], "sentence": "A nodule, to be followed."}
    answer = server.http.post(f"/studies/{read}/findings", json=wanted)
    assert answer.status_code == 201, answer.text
    finding = answer.json()
    assert finding["source"] == "person" and finding["seed_voxel"] == [200.0, 150.5] and finding["id"].startswith("u")
    text = server.http.get(f"/studies/{read}/export/html").text
    assert "A nodule, to be followed." in text
    assert server.http.delete(f"/studies/{read}/findings/{finding['id']}").status_code == 204
    assert finding["id"] not in [f["id"] for f in report(server, read)["findings"]]
    first = report(server, read)["findings"][0]["id"]
    assert server.http.delete(f"/studies/{read}/findings/{first}").status_code == 409
    assert server.http.post(f"/studies/{read}/findings", json={**wanted, "point": [900, 1]}).status_code == 422
    assert server.http.post(f"/studies/{read}/findings", json={**wanted, "term": "gargoyle"}).status_code == 422


def test_a_study_beside_its_prior(server, read, tmp_path):
    """The same film, a fifth larger per pixel: every length grows by a fifth, every ratio stays."""
    source = server.data / ".groundglass" / "studies" / read / "input"
    film = pydicom.dcmread(next(source.iterdir()))
    for name in ("PixelSpacing", "ImagerPixelSpacing"):
        if name in film:
            setattr(film, name, [float(v) * 1.25 for v in film[name].value])
    film.StudyInstanceUID += ".1"
    film.SOPInstanceUID += ".1"
    film.save_as(tmp_path / "later.dcm")
    later = server.study(tmp_path / "later.dcm")["id"]
    assert server.http.get(f"/studies/{later}/compare/{read}").status_code == 409
    assert server.read(later, prior_study=read)["state"] == "done"
    answer = server.http.get(f"/studies/{later}/compare/{read}")
    assert answer.status_code == 200, answer.text
    changes = [change for pair in answer.json()["pairs"] for change in pair["changes"]]
    lengths = [change for change in changes if change["unit"] in ("mm", "cm")]
    ratios = [change for change in changes if change["unit"] == "1"]
    assert lengths and all(change["percent"] == pytest.approx(25, abs=0.1) for change in lengths)
    assert ratios and all(change["percent"] == pytest.approx(0, abs=0.1) for change in ratios)
    assert all(pair["matched_by"] == "name" for pair in answer.json()["pairs"] if pair["changes"])


def test_a_form_that_the_report_does_not_fill_is_said_to_be_missing(server, volume):
    study = server.study(volume)["id"]
    assert server.read(study)["state"] == "done"
    for kind in ("nifti", "seg", "sr"):
        answer = server.http.get(f"/studies/{study}/export/{kind}")
        assert answer.status_code == 409 and answer.json()["type"].endswith("not-available"), kind
    assert server.http.get(f"/studies/{study}/export/json").status_code == 200


def test_errors_of_the_request_come_at_once(server, radiograph, read):
    for wanted, status in (({"only": ["gargoyle"]}, 422), ({"language": "tlh"}, 422), ({"prior_study": "a" * 20}, 404)):
        assert server.http.post(f"/studies/{read}/read", json=wanted).status_code == status
    fresh = server.study(radiograph)["id"]
    assert server.http.get(f"/studies/{fresh}/images/i1/labels.json").status_code == 200
