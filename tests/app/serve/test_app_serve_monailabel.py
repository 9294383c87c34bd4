"""A script of the MONAI Label client's calls, byte for byte as its public client makes them.

The client's own code is at Project-MONAI/MONAILabel, monailabel/client/client.py; the calls here follow it: raw forms
with a fixed boundary, `client_id` in the parameters, the answer parsed from the socket as a form.
"""

from __future__ import annotations

import http.client
import json
from email.parser import BytesParser
from pathlib import Path
from urllib.parse import quote_plus

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

LIMIT = "----------lImIt_of_THE_fIle_eW_$"


class Client:
    """The public client's `http_method` and `http_multipart`."""

    def __init__(self, server):
        self.server = server

    def call(self, method, selector, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port)
        headers = dict(headers or {})
        if isinstance(body, dict):
            body = json.dumps(body)
            headers |= {"content-type": "application/json", "content-length": str(len(body))}
        connection.request(method, selector, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()

    def json(self, method, selector, body=None):
        status, _headers, content = self.call(method, selector, body)
        assert status == 200, content
        return json.loads(content)

    def form(self, method, selector, params, files):
        body = bytearray()
        lines = [b"--" + LIMIT.encode(), b'Content-Disposition: form-data; name="params"', b""]
        lines.append(json.dumps({**params, "client_id": "test"}).encode())
        for key, (name, content) in files.items():
            disposition = f'Content-Disposition: form-data; name="{key}"; filename="{name}"'
            lines += [b"--" + LIMIT.encode(), disposition.encode(), b"Content-Type: application/octet-stream", b""]
            lines.append(content)
        for line in [*lines, b"--" + LIMIT.encode() + b"--", b""]:
            body += line + b"\r\n"
        headers = {"content-type": f"multipart/form-data; boundary={LIMIT}", "content-length": str(len(body))}
        return self.call(method, selector, bytes(body), headers)

    def infer(self, model, image, params, query="", files=None):
        """(label map's bytes, its name, params) as the client takes them from the two parts."""
        status, headers, content = self.form(
            "POST", f"/infer/{model}?image={quote_plus(image)}{query}", params, files or {}
        )
        assert status == 200, content
        kind = next(v for k, v in headers.items() if k.lower() == "content-type")
        assert kind.startswith("multipart/form-data")
        message = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + content)
        parts = {part.get_param("name", header="content-disposition"): part for part in message.get_payload()}
        told = json.loads(parts["params"].get_payload(decode=True))
        return parts["image"].get_payload(decode=True), parts["image"].get_filename(), told


@pytest.fixture(scope="module")
def client(server):
    return Client(server)


@pytest.fixture(scope="module")
def image(client, volume):
    status, _, content = client.form(
        "PUT", "/datastore/?image=case_1", {}, {"file": ("ball.nii.gz", volume.read_bytes())}
    )
    assert status == 200 and json.loads(content) == {"image": "case_1"}
    return "case_1"


def opened(content: bytes, name: str, folder: Path) -> nibabel.Nifti1Image:
    (folder / name).write_bytes(content)
    return nibabel.load(folder / name)


def test_info_names_models_as_the_plug_ins_read_them(client, image):
    info = client.json("GET", "/info/")
    assert {"name", "description", "version", "labels", "models", "trainers", "strategies", "datastore"} <= set(info)
    kinds = {name: model["type"] for name, model in info["models"].items()}
    assert kinds == {"read": "segmentation", "click_2d": "deepgrow", "click_3d": "deepgrow"}
    for model in info["models"].values():
        assert {"type", "labels", "dimension", "description", "config"} <= set(model)
    assert info["models"]["read"]["labels"]["left lung"] > 0 and "left lung" in info["labels"]
    assert info["datastore"]["total"] == len(client.json("GET", "/datastore/?output=all")["objects"])
    assert set(info["datastore"]) == {"total", "completed", "label_tags"}


def test_an_image_is_found_clicked_and_labelled(client, image, volume, tmp_path):
    sample = client.json("POST", "/activelearning/first", {"client_id": "test"})
    held = client.json("GET", "/datastore/?output=all")["objects"]
    assert sample["id"] in held and held[sample["id"]]["image"]["ext"] == ".nii.gz"
    status, headers, content = client.call("GET", f"/datastore/image?image={sample['id']}")
    got = opened(content, "image.nii.gz", tmp_path)
    sent = nibabel.load(volume)
    assert np.array_equal(np.asarray(got.dataobj), np.asarray(sent.dataobj)) and np.allclose(got.affine, sent.affine)

    params = {"foreground": [[12, 16, 8]], "background": [[2, 2, 8]], "label": "left kidney"}
    content, name, told = client.infer("click_3d", image, params)
    result = opened(content, name, tmp_path)
    mask = np.asarray(result.dataobj)
    assert told["label_names"] == {"left kidney": 1} and np.allclose(result.affine, sent.affine)
    i, j, k = np.indices(mask.shape)
    ball = (i - 12) ** 2 + (j - 16) ** 2 + (k - 8) ** 2 * 1.5 <= 36
    assert 2 * (mask[ball] > 0).sum() / (ball.sum() + (mask > 0).sum()) > 0.8

    saved = {"label_info": [{"name": "left kidney", "idx": 1}]}
    status, _, answer = client.form("PUT", f"/datastore/label?image={image}", saved, {"label": ("l.nii.gz", content)})
    assert status == 200 and json.loads(answer) == {"image": image, "label": image}
    status, headers, again = client.call("GET", f"/datastore/label?label={image}&tag=final")
    assert status == 200 and "filename=" in headers["content-disposition"]
    assert np.array_equal(np.asarray(opened(again, "again.nii.gz", tmp_path).dataobj), mask)
    assert client.json("GET", "/info/")["datastore"] == {"total": 1, "completed": 1, "label_tags": {"final": 1}}
    assert client.json("POST", "/activelearning/first", {}) == {}
    assert (
        client.json("GET", f"/datastore/label/info?label={image}&tag=final")["params"]["label_info"]
        == saved["label_info"]
    )
    # The label is a finding of the study, once, however often it is saved.
    client.form("PUT", f"/datastore/label?image={image}", saved, {"label": ("l.nii.gz", content)})
    study = sample["id"].split("-")[0]
    legend = client.server.http.get(f"/studies/{study}/images/i1/labels.json").json()["labels"]
    assert [row["name"] for row in legend] == ["left kidney"]


def test_a_session_holds_an_image_for_a_while(client, volume):
    boundary = "b0undary"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="x.nii.gz"\r\n\r\n'.encode()
        + volume.read_bytes()
        + f"\r\n--{boundary}--\r\n".encode()
    )
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    status, _, content = client.call("PUT", "/session/", body, headers)
    assert status == 200, content
    session = json.loads(content)["session_id"]
    assert client.json("GET", f"/session/{session}")["expiry"] > 0
    _content, name, told = client.infer("click_2d", "x", {"foreground": [[12, 16, 8]]}, f"&session_id={session}")
    assert name.endswith(".nii.gz") and told["label_names"] == {"structure": 1}
    client.json("DELETE", f"/session/{session}")
    assert client.call("GET", f"/session/{session}")[0] == 404


def test_ohif_asks_by_series_and_gets_nrrd_in_dicom_order(client, radiograph, tmp_path):
    """OHIF names the SeriesInstanceUID, wants NRRD and fixed label numbers, and lays the voxels on the pixels."""
    import pydicom

    study = client.server.study(radiograph)["id"]
    film = pydicom.dcmread(radiograph)
    params = {
        "result_extension": ".nrrd",
        "result_dtype": "uint8",
        "result_compress": False,
        "restore_label_idx": False,
    }
    selector = f"/infer/read?image={film.SeriesInstanceUID}&output=image"
    status, _, content = client.form("POST", selector, params, {})
    assert status == 200, content[:300]
    assert content.startswith(b"NRRD") and b"encoding: raw" in content[:1000]
    (tmp_path / "r.nrrd").write_bytes(content)
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "r.nrrd")))[0]
    assert labels.shape == (film.Rows, film.Columns)
    table = client.json("GET", "/info/")["models"]["read"]["labels"]
    # Right is on the left of a film.
    right, left = (np.argwhere(labels == table[f"{side} lung"])[:, 1].mean() for side in ("right", "left"))
    assert right < film.Columns / 2 < left
    raw = labels.astype(np.uint8).tobytes()
    status, _, answer = client.form(
        "PUT", f"/datastore/label?image={film.SeriesInstanceUID}",
        {"label_info": [{"name": "heart", "idx": table["heart"]}]}, {"label": ("label.bin", raw)},
    )  # fmt: skip
    assert status == 200, answer
    legend = client.server.http.get(f"/studies/{study}/images/i1/labels.json").json()["labels"]
    assert [row["name"] for row in legend] == ["heart"]


@pytest.mark.parametrize(
    ("selector", "params", "status"),
    [
        ("/infer/none?image=case_1", {}, 422),
        ("/infer/click_2d?image=nowhere", {"foreground": [[1, 1, 1]]}, 404),
        ("/infer/click_2d?image=case_1", {}, 422),
        ("/infer/click_2d?image=case_1", {"foreground": [[900, 1, 1]]}, 422),
        ("/infer/click_2d?image=case_1", {"foreground": "abc"}, 422),
        ("/infer/click_2d?image=case_1", {"foreground": [[1, 1, 1]], "result_extension": "/../../x"}, 422),
        ("/infer/click_2d", {"foreground": [[1, 1, 1]]}, 422),
    ],
)
def test_what_makes_no_sense_is_refused(client, image, selector, params, status):
    assert client.form("POST", selector, params, {})[0] == status
