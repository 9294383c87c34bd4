"""Who may ask, under which name, and what is written down of it."""

from __future__ import annotations

import json
import statistics
import time

import httpx2
import pytest

TOKEN = "correct-horse-battery-staple"


def test_nothing_is_answered_without_the_token(serve, volume):
    with serve(token=TOKEN) as held:
        for method, path in (("GET", "/"), ("GET", "/api/v1/studies"), ("POST", "/api/v1/studies"), ("GET", "/info/")):
            answer = httpx2.request(method, held.url + path)
            assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer", path
        wrong = {"Authorization": "Bearer " + TOKEN[:-1] + "x"}
        assert httpx2.get(f"{held.url}/api/v1/studies", headers=wrong).status_code == 401
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert httpx2.get(f"{held.url}/api/v1/studies", headers=right).status_code == 200
        # Once in the address: then a cookie that is not the token, and the address is clean.
        with httpx2.Client(base_url=held.url) as browser:
            answer = browser.get("/api/v1/studies", params={"token": TOKEN, "limit": 5})
            assert answer.status_code == 303 and answer.headers["location"] == "/api/v1/studies?limit=5"
            cookie = answer.headers["set-cookie"]
            assert "httponly" in cookie.lower() and "samesite=strict" in cookie.lower() and TOKEN not in cookie
            assert browser.get("/api/v1/studies").status_code == 200
            assert browser.post("/api/v1/studies?token=" + TOKEN, cookies={}).status_code != 303
        # MONAI Label's way in.
        assert httpx2.get(f"{held.url}/auth/").json()["enabled"] is True
        form = {"username": "anybody", "password": TOKEN, "grant_type": "password"}
        granted = httpx2.post(f"{held.url}/auth/token", data=form).json()
        assert granted == {"access_token": TOKEN, "token_type": "bearer"}
        assert httpx2.post(f"{held.url}/auth/token", data={**form, "password": "x" * 28}).status_code == 401


def test_a_redirect_with_the_token_never_leads_elsewhere(serve):
    with serve(token=TOKEN) as held:
        for path in ("//evil.example/x", "/\\evil.example"):
            import http.client

            connection = http.client.HTTPConnection("127.0.0.1", held.port)
            connection.putrequest("GET", f"{path}?token={TOKEN}")
            connection.endheaders()
            location = connection.getresponse().getheader("location") or "/"
            assert location.startswith("/") and not location.startswith(("//", "/\\")), location


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost.evil.example:80"}, 421),
        ({"Host": "user@127.0.0.1"}, 421),
        ({"Host": ""}, 421),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "127.0.0.1"}, 200),
        ({"Host": "[::1]:99"}, 200),
    ],
)
def test_other_names_than_ours_are_not_answered(server, headers, status):
    assert httpx2.get(f"{server.url}/api/v1/info", headers=headers).status_code == status


def test_pages_of_other_origins_cannot_write_nor_read(server):
    body = {"path": "x"}
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert server.http.post("/studies", json=body, headers=headers).status_code == 403
    ours = server.http.post("/studies", json=body, headers={"Origin": server.url, "Sec-Fetch-Site": "same-origin"})
    assert ours.status_code == 404
    asked = server.http.options(
        "/studies", headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    )
    read = server.http.get("/studies", headers={"Origin": "http://evil.example"})
    for answer in (asked, read):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_page_that_was_let_in_may_use_the_api_with_the_token_only(serve):
    ohif = "https://ohif.example"
    with serve(token=TOKEN, origins=(ohif,)) as held:
        url = f"{held.url}/info/"
        asked = httpx2.options(url, headers={"Origin": ohif, "Access-Control-Request-Method": "GET"})
        assert asked.status_code == 204 and "authorization" in asked.headers["access-control-allow-headers"]
        assert asked.headers["access-control-allow-origin"] == ohif
        assert "access-control-allow-credentials" not in asked.headers
        assert httpx2.get(url, headers={"Origin": ohif}).status_code == 401
        got = httpx2.get(url, headers={"Origin": ohif, "Authorization": f"Bearer {TOKEN}"})
        assert got.status_code == 200 and got.headers["access-control-allow-origin"] == ohif
        other = httpx2.get(url, headers={"Origin": "https://evil.example", "Authorization": f"Bearer {TOKEN}"})
        assert "access-control-allow-origin" not in other.headers


def test_every_answer_carries_the_headers(server):
    for path in ("/", "/api/v1/studies", "/api/v1/nothing", "/info/"):
        headers = httpx2.get(server.url + path).headers
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe-eval'" not in policy.replace("wasm-unsafe-eval'", "")
        assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
        assert "server" not in headers


def test_too_much_is_refused_before_it_is_read(server):
    answer = server.http.patch("/studies/" + "a" * 20 + "/findings/f1", content=b"x" * ((4 << 20) + 1))
    assert answer.status_code == 413

    def endless():
        for _ in range(6):
            yield b"x" * (1 << 20)

    chunked = server.http.patch("/studies/" + "a" * 20 + "/findings/f1", content=endless())
    assert chunked.status_code == 413


def test_an_upload_is_bounded_while_it_streams(serve):
    with serve(limits={"upload_bytes": 1 << 20}) as held:

        def endless():
            yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
            for _ in range(4):
                yield b"x" * (1 << 19)

        answer = held.http.post(
            "/studies", content=endless(), headers={"Content-Type": "multipart/form-data; boundary=b"}
        )
        assert answer.status_code == 413
        assert not list((held.data / ".groundglass" / "incoming").iterdir())


def test_the_log_knows_no_patient_and_tells_studies_apart(serve, radiograph):
    with serve() as held:
        study = held.study(radiograph)
        other = held.study(radiograph)
        for each in (study, study, other):
            held.http.get(f"/studies/{each['id']}")
        text = (held.data / ".groundglass" / "audit.jsonl").read_text()
        lines = [json.loads(line) for line in text.splitlines()]
        for secret in (study["patient_id"], study["uid"], study["id"], study["name"], "127.0.0.1", "chest"):
            assert secret and secret not in text
        hashes = [line["study_id"] for line in lines if line["operation"] == "get_study"]
        assert len(hashes) == 3 and hashes[0] == hashes[1] != hashes[2]
        assert (held.data / ".groundglass" / "audit.key").stat().st_mode & 0o077 == 0
        assert (held.data / ".groundglass").stat().st_mode & 0o077 == 0


def test_comparing_tokens_takes_the_same_time_wherever_they_differ():
    from groundglass.app.serve.guard import token_fits

    token = "a" * 4096
    late, early = token[:-1] + "b", "b" + token[1:]

    def seconds(given):
        began = time.perf_counter()
        for _ in range(200):
            token_fits(given, token)
        return time.perf_counter() - began

    ratios = [seconds(late) / seconds(early) for _ in range(15)]
    assert 0.5 < statistics.median(ratios) < 2
    assert token_fits(token, token) and not token_fits(late, token)


def test_a_token_is_made_up_beyond_this_machine(monkeypatch, tmp_path, capsys):
    import uvicorn

    from groundglass.app.serve.run import run
    from groundglass.app.serve.settings import Settings
    from groundglass.core import ConfigurationError

    ran = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda self: ran.append(self.config.app.state.desk))
    run(Settings(tmp_path / "a", "0.0.0.0"))
    made = ran[0].settings.token
    assert made and len(made) > 30 and f"?token={made}" in capsys.readouterr().err
    run(Settings(tmp_path / "b", "127.0.0.1"))
    assert ran[1].settings.token is None
    with pytest.raises(ConfigurationError, match="fewer than"):
        run(Settings(tmp_path / "c", token="short"))
    with pytest.raises(ConfigurationError, match="lies in the folder"):
        run(Settings(tmp_path / "a", keep=tmp_path / "a" / "kept"))


def test_an_address_names_all_its_methods(server):
    study = "a" * 20
    for path, allowed in (
        (f"/api/v1/studies/{study}", "DELETE, GET"),
        (f"/api/v1/studies/{study}/findings/f1", "DELETE, PATCH"),
        ("/datastore/image", "DELETE, GET, HEAD, PUT"),
        ("/auth/token", "POST"),
    ):
        answer = httpx2.request("TRACE", server.url + path)
        assert answer.status_code == 405 and answer.headers["allow"] == allowed, path
    assert httpx2.get(f"{server.url}/etc/passwd").status_code == 404
    assert httpx2.get(f"{server.url}/%2e%2e/settings.py").status_code == 404
