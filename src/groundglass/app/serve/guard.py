"""What stands before every request: who asks, under which name, how much is sent; and what every answer carries.

Plain ASGI, so that streams pass through untouched.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import time
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from groundglass.app.serve.audit import Audit
from groundglass.app.serve.problems import Problem, response
from groundglass.app.serve.settings import Settings

COOKIE = "groundglass"
# NiiVue draws with WebGL, decodes in workers made from blobs and compiles WebAssembly; nothing comes from elsewhere.
VIEWER_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' blob:; worker-src 'self' blob:; "
    "connect-src 'self' blob: data:; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# A report is a page of its own words: no script, nothing loaded.
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'"
_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}
_PREFLIGHT = {
    "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
    "access-control-allow-headers": "authorization, content-type, last-event-id",
    "access-control-max-age": "600",
}
_SAFE = ("GET", "HEAD", "OPTIONS")
_UPLOADS = ("/api/v1/studies", "/datastore/", "/datastore/image", "/datastore/label", "/session/")


class Guard:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, settings: Settings, audit: Audit) -> None:
        self._app, self._settings, self._audit = app, settings, audit
        # The cookie is not the token: it ends with the server, and reveals nothing.
        self._cookie = hmac.new(secrets.token_bytes(32), (settings.token or "").encode(), hashlib.sha256).hexdigest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        status = 0
        allowed = self._allowed(scope)

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("content-security-policy", VIEWER_POLICY)
                if allowed:
                    headers["access-control-allow-origin"] = allowed
                    headers["vary"] = "Origin"
                    headers["cross-origin-resource-policy"] = "cross-origin"
            await send(message)

        try:
            refused = self._refusal(scope)
            if refused is not None:
                await refused(scope, receive, marked)
            else:
                await self._app(scope, self._bounded(scope, receive), marked)
        finally:
            self._audit.note(scope, status, time.monotonic() - began)

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that goes no further."""
        headers = Headers(scope=scope)
        try:
            self._check_names(scope["method"], headers, self._allowed(scope))
            self._check_length(scope, headers)
        except Problem as problem:
            return response(problem)
        if scope["method"] == "OPTIONS" and self._allowed(scope):
            return Response(status_code=204, headers=_PREFLIGHT)
        return self._check_token(scope, headers) if self._settings.token else None

    def _allowed(self, scope: Scope) -> str:
        """The origin of the request where it is one of those that were let in; else nothing."""
        origin = Headers(scope=scope).get("origin", "")
        return origin if origin in self._settings.origins else ""

    def _check_names(self, method: str, headers: Headers, allowed: str) -> None:
        """A page elsewhere can point its own name at this machine (DNS rebinding), or post here unasked."""
        host = headers.get("host", "")
        name = urlsplit(f"//{host}").hostname if _is_plain(host) else None
        if not name or not (self._is_ours(name) or _is_address(name)):
            raise Problem(421, "unknown-host", "This server does not answer under that name; see --allow-host.")
        origin = headers.get("origin")
        site = headers.get("sec-fetch-site")
        if method not in _SAFE and not allowed:
            if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
                raise Problem(403, "cross-origin", "Pages of other origins may not write here.")
            if site not in (None, "same-origin", "none"):
                raise Problem(403, "cross-origin", "Pages of other sites may not write here.")

    def _is_ours(self, name: str) -> bool:
        ours = ("localhost", self._settings.host, *self._settings.hosts)
        return name.lower() in {n.lower() for n in ours}

    def _check_length(self, scope: Scope, headers: Headers) -> None:
        declared = headers.get("content-length")
        if declared is None:
            return
        if not declared.isascii() or not declared.isdigit():
            raise Problem(400, "bad-length", "Content-Length is not a number.")
        if int(declared) > self._most(scope):
            raise Problem(413, "too-large", f"The request is larger than {self._most(scope)} bytes.")

    def _most(self, scope: Scope) -> int:
        limits = self._settings.limits
        is_upload = scope["path"] in _UPLOADS or scope["path"].startswith("/infer/")
        return limits.upload_bytes if is_upload else limits.body_bytes

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """`receive` that ends a body which grows beyond its bound, whatever its header claimed."""
        left = self._most(scope)

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            if message["type"] == "http.request":
                left -= len(message.get("body", b""))
                if left < 0:
                    # Of this kind, because the framework takes any other error in a body for a malformed one.
                    raise HTTPException(413, "The request is too large.")
            return message

        return counted

    def _check_token(self, scope: Scope, headers: Headers) -> Response | None:
        token = (self._settings.token or "").encode()
        if scope["path"] in ("/auth/", "/auth/token"):
            return None  # where MONAI Label's clients learn that they need one, and trade it in
        given = headers.get("authorization", "")
        if given[:7].lower() == "bearer " and _same(given[7:].strip().encode(), token):
            return None
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        if _same(cookie.encode(), self._cookie.encode()):
            return None
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        if scope["method"] in ("GET", "HEAD") and _same(query.pop("token", "").encode(), token):
            return self._welcome(scope, query)
        detail = "Send the server's token: Authorization: Bearer TOKEN, or open the page with ?token=TOKEN once."
        return response(Problem(401, "no-token", detail, headers={"WWW-Authenticate": "Bearer"}))

    def _welcome(self, scope: Scope, query: dict[str, str]) -> Response:
        """To the same address without the token, which then stands in no history and no log."""
        path = "/" + scope["path"].lstrip("/\\")
        answer = RedirectResponse(path + (f"?{urlencode(query)}" if query else ""), 303)
        answer.set_cookie(COOKIE, self._cookie, httponly=True, samesite="strict", secure=scope["scheme"] == "https")
        return answer


def token_fits(given: str, token: str) -> bool:
    """Equal, in a time that does not tell where they differ."""
    return _same(given.encode(), token.encode())


def _same(given: bytes, wanted: bytes) -> bool:
    """Equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(hashlib.sha256(given).digest(), hashlib.sha256(wanted).digest())


def _is_plain(host: str) -> bool:
    return 0 < len(host) < 256 and all(c.isalnum() or c in ".-:[]_" for c in host) and host.isascii()


def _is_address(name: str) -> bool:
    """A literal address is no name that could be rebound."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
