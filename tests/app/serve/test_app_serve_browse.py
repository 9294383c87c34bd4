"""What can be opened is listed, and nothing beyond the data folder; the names that findings may have."""

from __future__ import annotations


def test_the_folder_lists_what_opens_and_hides_what_does_not(server, volume, tmp_path):
    inside = server.data / "ward" / "case 1"
    inside.mkdir(parents=True)
    (inside / "ball.nii.gz").write_bytes(volume.read_bytes())
    (server.data / ".hidden").write_text("")
    (tmp_path / "secret").write_text("")
    (server.data / "way out").symlink_to(tmp_path)
    (server.data / "broken").symlink_to(server.data / "nowhere")
    (server.data / "way in").symlink_to(inside)

    top = server.http.get("/folder").json()
    seen = [(entry["name"], entry["kind"]) for entry in top["entries"]]
    assert seen[:2] == [("ward", "folder"), ("way in", "folder")]
    assert not {".hidden", "way out", "broken"} & {name for name, _kind in seen}
    case = server.http.get("/folder", params={"path": "ward/case 1"}).json()
    (entry,) = case["entries"]
    assert entry == {
        "name": "ball.nii.gz", "path": "ward/case 1/ball.nii.gz", "kind": "file", "bytes": volume.stat().st_size,
    }  # fmt: skip
    opened = server.http.post("/studies", json={"path": entry["path"]})
    assert opened.status_code == 201 and opened.json()["images"] == 1


def test_no_path_leads_out_of_the_folder(server):
    for path in ("..", "../..", "/etc", ".groundglass", "ward/../..", "way out", "a" * 900):
        answer = server.http.get("/folder", params={"path": path})
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert str(server.data) not in answer.text


def test_a_file_is_no_folder_and_a_server_without_dicomweb_says_so(server):
    (server.data / "note.txt").write_text("")
    assert server.http.get("/folder", params={"path": "note.txt"}).status_code == 404
    answer = server.http.get("/dicomweb/studies")
    assert answer.status_code == 409 and "--dicomweb" in answer.json()["detail"]


def test_every_listed_term_may_name_a_finding(server):
    from groundglass.core import ontology

    terms = server.http.get("/terms").json()["terms"]
    assert len(terms) > 100 and terms == sorted(terms) and len(set(terms)) == len(terms)
    assert {"liver", "pulmonary nodule", "white matter"} <= set(terms) and "CT" not in terms
    assert all(name in ontology() for name in terms)
