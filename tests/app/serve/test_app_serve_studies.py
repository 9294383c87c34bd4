"""Studies over the wire: what is sent comes back as images in the right place, and no path leads out."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import PIL.Image
import pytest
from serving import running


def loaded(content: bytes) -> nibabel.Nifti1Image:
    return nibabel.Nifti1Image.from_bytes(gzip.decompress(content))


def test_a_volume_comes_back_with_its_voxels_and_affine(server, volume):
    study = server.study(volume)
    assert study["modalities"] == ["OT"] and study["images"] == 1 and not study["has_report"]
    image = server.http.get(f"/studies/{study['id']}/images").json()["images"][0]
    sent = nibabel.load(volume)
    assert image["name"] == "ball" and image["shape"] == [28, 32, 18] and image["slice_axis"] == 2
    assert np.allclose(image["affine"], sent.affine)
    got = loaded(server.http.get(f"{server.url}{image['url']}").content)
    assert np.array_equal(np.asarray(got.dataobj), np.asarray(sent.dataobj))
    assert np.allclose(got.affine, sent.affine, atol=1e-6)
    picture = PIL.Image.open(io.BytesIO(server.http.get(f"{server.url}{image['thumbnail']}").content))
    assert max(picture.size) == 256
    assert server.http.get("/studies").json()["studies"][0]["id"] == study["id"]


def test_a_picture_is_shown_upright_and_in_colour(server, tmp_path):
    """A viewer draws +x to the right and +y up: columns must run along +x, rows along -y."""
    array = np.zeros((5, 7, 3), dtype=np.uint8)
    array[1, 4] = (250, 128, 3)
    PIL.Image.fromarray(array).save(tmp_path / "spot.png")
    study = server.study(tmp_path / "spot.png")
    image = server.http.get(f"/studies/{study['id']}/images").json()["images"][0]
    assert image["spacing"] is None and image["channels"] == 3 and not image["is_volume"]
    got = loaded(server.http.get(f"{server.url}{image['url']}").content)
    data = np.asarray(got.dataobj)
    assert data.shape == (5, 7, 1) and tuple(data[1, 4, 0]) == (250, 128, 3)
    assert np.allclose(got.affine @ [1, 4, 0, 1], [4, -1, 0, 1])


def test_a_zip_is_taken_apart_and_names_are_kept_for_people(server, volume, radiograph, tmp_path):
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        archive.write(volume, "patient/a/Ball One.nii.gz")
        archive.write(radiograph, "patient/b/IM0001")
        archive.writestr("patient/readme.txt", "notes")
    study = server.study(tmp_path / "both.zip")
    images = server.http.get(f"/studies/{study['id']}/images").json()["images"]
    assert sorted(image["name"] for image in images) == ["ball-one", "dx-1-simulated-pa-chest"]
    assert any("no images" in warning for warning in study["warnings"])


def test_errors_are_problems_that_name_no_path_of_the_server(server, tmp_path):
    (tmp_path / "broken.nii.gz").write_bytes(gzip.compress(b"\x5c\x01\x00\x00" + bytes(340) + b"n+1\x00"))
    answer = server.send(tmp_path / "broken.nii.gz")
    assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 422 and problem["type"].startswith("urn:groundglass:problem:")
    assert "broken.nii.gz" in problem["detail"] and str(server.data) not in answer.text
    missing = server.http.get("/studies/" + "a" * 20)
    assert missing.status_code == 404 and missing.json()["type"] == "urn:groundglass:problem:not-found"
    assert not list((server.data / ".groundglass" / "incoming").iterdir())


def test_opening_in_place_reads_files_where_they_are(serve, volume):
    with serve() as held:
        (held.data / "scans").mkdir()
        (held.data / "scans" / "ball.nii.gz").write_bytes(volume.read_bytes())
        answer = held.http.post("/studies", json={"path": "scans"})
        assert answer.status_code == 201 and answer.json()["origin"] == "path"
        study = answer.json()["id"]
        assert held.http.delete(f"/studies/{study}").status_code == 204
        assert (held.data / "scans" / "ball.nii.gz").is_file()
        assert held.http.get(f"/studies/{study}").status_code == 404


def test_a_data_folder_that_cannot_be_written_is_served_from(serve, volume, tmp_path):
    with serve(keep=tmp_path / "kept") as held:
        (held.data / "ball.nii.gz").write_bytes(volume.read_bytes())
        assert held.http.post("/studies", json={"path": "ball.nii.gz"}).status_code == 201
        assert [path.name for path in held.data.iterdir()] == ["ball.nii.gz"]
        assert len(list((tmp_path / "kept" / "studies").iterdir())) == 1


@pytest.mark.parametrize("path", ["..", "../outside", "/etc", "scans/../../outside", "link", ".groundglass", "a\nb"])
def test_no_path_leads_out_of_the_data_folder(serve, volume, tmp_path, path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "ball.nii.gz").write_bytes(volume.read_bytes())
    with serve() as held:
        (held.data / "scans").mkdir()
        (held.data / "link").symlink_to(outside)
        (held.data / "scans" / "ball.nii.gz").symlink_to(outside / "ball.nii.gz")
        assert held.http.post("/studies", json={"path": path}).status_code == 404
        # A link inside a folder is not followed either.
        assert held.http.post("/studies", json={"path": "scans"}).status_code == 422


def test_studies_outlive_the_server_and_broken_ones_are_left_alone(tmp_path, volume):
    with running(tmp_path / "data") as held:
        study = held.study(volume)["id"]
    place = tmp_path / "data" / ".groundglass"
    (place / "studies" / "junk").mkdir()
    (place / "studies" / "junk" / "study.json").write_text("{")
    (place / "incoming" / "half").mkdir()
    with running(tmp_path / "data") as held:
        assert [s["id"] for s in held.http.get("/studies").json()["studies"]] == [study]
        assert not (place / "incoming" / "half").exists()


def test_one_folder_has_one_server(serve, tmp_path):
    from groundglass.app.serve.store import Store
    from groundglass.core import ConfigurationError

    with serve() as held, pytest.raises(ConfigurationError, match="served already"):
        Store(held.data / ".groundglass", at_most=1)


def test_info_is_the_command_s_document(server):
    from groundglass.app.capabilities import capabilities

    told = server.http.get("/info").json()
    assert told.pop("serve")["api"] == "1.0"
    assert told == json.loads(json.dumps(capabilities()))
    assert {m["name"] for m in told["models"]} >= {"brain-mr", "radiograph"}


def test_capabilities_need_nothing_heavy():
    import subprocess
    import sys

    code = (
        "import sys; from groundglass.app.capabilities import capabilities; capabilities();"
        "print([m for m in ('torch', 'monai', 'fastapi', 'nibabel', 'pydicom') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_bound_on_studies(serve, volume):
    with serve(limits={"studies": 1}) as held:
        held.study(volume)
        answer = held.send(volume)
        assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 0


def test_what_was_made_for_old_reviews_goes(tmp_path):
    import os

    from groundglass.app.serve.store import StudyFolder

    place = StudyFolder(tmp_path / ("a" * 20))
    paths = [place.made_of("report.html", str(revision)) for revision in range(30)]
    for number, path in enumerate(paths):
        path.parent.mkdir(parents=True)
        os.utime(path.parent, (number, number))
    place.forget_old()
    assert [path.parent.exists() for path in paths] == [False] * 6 + [True] * 24


def test_shown_names_are_short_printable_and_never_a_path():
    from groundglass.app.serve.uploads import shown_name

    for name in ("../../etc/passwd", "C:\\x\\passwd", "/abs/passwd", "\x00\x1b[31mpasswd", " passwd. "):
        assert shown_name(name).endswith("passwd") and not set("/\\\x00\x1b") & set(shown_name(name))
    assert shown_name("..") == "file" and len(shown_name("x" * 5000)) == 120
    assert Path(shown_name("a/b/c.nii.gz")).name == "c.nii.gz"
