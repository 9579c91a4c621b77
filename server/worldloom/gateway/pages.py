"""The HTTP side of a gateway: health, metrics, content by hash, the browser client. Knows no sessions and no SQL.

Whatever is shown comes from callables that the application hands in. Every answer carries security headers; errors
are JSON with a stable ``error`` and a ``detail`` that says expected and got.
"""

import gzip
import hashlib
import hmac
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worldloom.errors import DATABASE_AWAY, StoreUnavailable
from worldloom.gateway.limits import RateLimit, address_key
from worldloom.gateway.web import Web, load_web
from worldloom.ports import OverlayRow
from worldloom_sdk.protocol.geometry import REGION_LIMIT, REGION_M
from worldloom_sdk.protocol.messages import PROTOCOL_VERSION, SUBPROTOCOL_PATH

__all__ = ["OVERLAY_MEDIA_TYPE", "About", "ContentSource", "OverlaySource", "make_app"]

OVERLAY_MEDIA_TYPE = "application/vnd.worldloom.overlay"

ContentSource = Callable[[str], Awaitable[tuple[str, bytes] | None]]
"""Content by the sha256 of its bytes: media type and bytes; None when there is none of that hash."""

OverlaySource = Callable[[tuple[int, int]], Awaitable[OverlayRow | None]]
"""The stored overlay of a region; None where nothing was ever changed."""

_RegionIndex = Annotated[int, Path(ge=-REGION_LIMIT, le=REGION_LIMIT)]
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PLACE = re.compile(r"(-?\d{1,8}(?:\.\d{1,6})?),(-?\d{1,8}(?:\.\d{1,6})?)", re.ASCII)
"""x and z of a link to a place, in metres."""
_FOR_EVER = "public, max-age=31536000, immutable"
_QUICKLY = 5
"""How hard gzip tries for what is sent once."""
_METRICS_KEPT_S = 1.0
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FOR_ANYBODY = ("ok", "status", "version", "world", "sessions")
"""What of the health is told to who is not near and has no token."""
_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
)
"""What an answer says itself holds instead."""


@dataclass(frozen=True, slots=True)
class About:
    """What the page for people says."""

    world: str
    version: str
    people: int
    """Who is connected now."""
    coin: str = ""
    """What a coin is called."""
    digits: int = 2
    """Of an amount, after the point."""
    fee: int = 0
    """Hundredths of a percent of a sale that go to the treasury."""
    coins: str = ""
    """What several coins are called."""


class _ContentCache:
    """The content asked for last, bounded in bytes."""

    def __init__(self, source: ContentSource, limit_bytes: int) -> None:
        self._source, self._limit, self._size = source, limit_bytes, 0
        self._kept: OrderedDict[str, tuple[str, bytes]] = OrderedDict()

    async def get(self, sha256: str) -> tuple[str, bytes] | None:
        """Media type and bytes, from memory or the source."""
        found = self._kept.get(sha256)
        if found is not None:
            self._kept.move_to_end(sha256)
            return found
        found = await self._source(sha256)
        if found is not None:
            self._keep(sha256, found)
        return found

    def _keep(self, sha256: str, found: tuple[str, bytes]) -> None:
        if sha256 in self._kept or len(found[1]) > self._limit // 4:
            return
        self._kept[sha256] = found
        self._size += len(found[1])
        while self._size > self._limit:
            _, (_, oldest) = self._kept.popitem(last=False)
            self._size -= len(oldest)


class _Frontage:
    """Limits requests by address and adds the security headers, around the whole application.

    HEAD is answered as GET is; the server leaves the body out. The browser client's files are not counted: a page
    asks for a hundred at once, is broken by one that is refused, and from memory they cost hardly more than a refusal.
    """

    def __init__(
        self, app: ASGIApp, requests: RateLimit, on_answer: Callable[[int], None], uncounted: str
    ) -> None:
        self._app, self._requests, self._on_answer, self._uncounted = app, requests, on_answer, uncounted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._on_answer(message["status"])
                given = list(message.get("headers", ()))
                names = {name for name, _ in given}
                message["headers"] = [*given, *(pair for pair in _SECURITY_HEADERS if pair[0] not in names)]
            await send(message)

        if scope.get("method") == "HEAD":
            scope = {**scope, "method": "GET"}
        client = scope.get("client")
        wait = 0.0
        if client and not scope.get("path", "").startswith(self._uncounted):
            wait = self._requests.take(address_key(client[0]), time.monotonic())
        if wait:
            answer = _error(429, "rate", "too many requests", {"Retry-After": str(int(wait) + 1)})
            await answer(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)


async def _nothing_changed(region: tuple[int, int]) -> OverlayRow | None:
    return None


def make_app(
    health: Callable[[], dict[str, Any]],
    metrics: Callable[[], bytes],
    content: ContentSource,
    about: Callable[[], About],
    requests_per_s: float = 50.0,
    content_cache_bytes: int = 32 * 1024 * 1024,
    on_answer: Callable[[int], None] = lambda status: None,
    metrics_token: str = "",
    now: Callable[[], float] = time.monotonic,
    overlay: OverlaySource = _nothing_changed,
    web: Web | None = None,
) -> FastAPI:
    """Build the application.

    Args:
        health: What ``/healthz`` tells; answered with 200 when its ``ok`` is true, else with 503.
        metrics: What ``/metrics`` tells, in Prometheus' text format.
        content: Looks content up.
        about: What the page for people says.
        requests_per_s: Of one address, twice that at once; 0 is without limit.
        content_cache_bytes: Memory for content asked for lately.
        on_answer: Told the status of every answer.
        metrics_token: Who gives it as a bearer is shown metrics and all of the health; without one, only who
            asks from this machine is.
        now: Monotonic seconds.
        overlay: Looks overlays up; by default there is none.
        web: The browser client; by default the one that comes along, which blocks when it is not loaded yet.

    Raises:
        WorldloomError: The installation has no browser client.
    """
    web = web or load_web()
    app = FastAPI(
        title="Worldloom", version=about().version, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    requests = RateLimit(requests_per_s, 2 * requests_per_s)
    app.add_middleware(_Frontage, requests=requests, on_answer=on_answer, uncounted=web.base)
    _add_status(app, health, _Kept(metrics, now), _Insiders(metrics_token))
    _add_content(app, _ContentCache(content, content_cache_bytes))
    _add_overlays(app, overlay)
    _add_page(app, about, web)
    _add_web(app, web)
    _add_errors(app)
    return app


class _Kept:
    """A rendering that is good for a second, however many ask for it."""

    def __init__(self, render: Callable[[], bytes], now: Callable[[], float]) -> None:
        self._render, self._now = render, now
        self._text, self._at = b"", float("-inf")

    def __call__(self) -> bytes:
        now = self._now()
        if now - self._at >= _METRICS_KEPT_S:
            self._text, self._at = self._render(), now
        return self._text


class _Insiders:
    """Who may see all numbers: whoever asks from this machine, or has the token."""

    def __init__(self, token: str) -> None:
        self._expected = f"bearer {token}".encode() if token else b""

    def __contains__(self, request: Request) -> bool:
        return self._is_near(request) or self._has_token(request)

    def _is_near(self, request: Request) -> bool:
        # What a proxy hands on comes from elsewhere, even when nobody told us that it is a proxy.
        if request.client is None or "x-forwarded-for" in request.headers or "forwarded" in request.headers:
            return False
        try:
            address = ip_address(request.client.host)
        except ValueError:
            return False
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback

    def _has_token(self, request: Request) -> bool:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        told = f"{kind.lower()} {given.strip()}".encode()
        return bool(self._expected) and hmac.compare_digest(told, self._expected)


def _add_status(
    app: FastAPI, health: Callable[[], dict[str, Any]], metrics: Callable[[], bytes], insiders: _Insiders
) -> None:
    @app.get("/healthz", tags=["operation"], responses={503: {"description": "Something is wrong."}})
    async def healthz(request: Request) -> JSONResponse:
        """Whether the world is well; from this machine or with the token, its most telling numbers too."""
        state = health()
        status = 200 if state.get("ok") else 503
        if request not in insiders:
            state = {name: state[name] for name in _FOR_ANYBODY if name in state}
        return JSONResponse(state, status, headers={"Cache-Control": "no-store"})

    @app.get(
        "/metrics",
        tags=["operation"],
        response_class=PlainTextResponse,
        responses={401: {"description": "From elsewhere only with the token."}},
    )
    async def prometheus(request: Request) -> Response:
        """All numbers, for Prometheus."""
        if request not in insiders:
            text = (
                "expected a request from this machine, or the header Authorization: Bearer TOKEN; "
                "the token is in metrics.token in the server's data folder"
            )
            return _error(401, "unauthorized", text, {"WWW-Authenticate": "Bearer"})
        return Response(metrics(), headers={"Content-Type": _METRICS_TYPE, "Cache-Control": "no-store"})


def _add_content(app: FastAPI, cache: _ContentCache) -> None:
    @app.get(
        "/content/{sha256}",
        tags=["content"],
        response_class=Response,
        responses={
            200: {"content": {"application/octet-stream": {}}, "description": "The bytes of that hash."},
            304: {"description": "You have it."},
            400: {"description": "No sha256."},
            404: {"description": "Nothing of that hash."},
        },
    )
    async def content(sha256: str, request: Request) -> Response:
        """Something big and immutable, named by the sha256 of its bytes."""
        if not _SHA256.fullmatch(sha256):
            return _error(
                400, "bad_hash", f"expected 64 hexadecimal digits in lower case, got {sha256[:80]!r}"
            )
        headers = {"ETag": f'"{sha256}"', "Cache-Control": _FOR_EVER, "Access-Control-Allow-Origin": "*"}
        found = await cache.get(sha256)
        if found is None:
            return _error(404, "not_found", f"expected the hash of stored content, got {sha256}")
        if _matches(request.headers.get("if-none-match"), headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(found[1], media_type=found[0], headers=headers)


def _add_overlays(app: FastAPI, source: OverlaySource) -> None:
    @app.get(
        "/overlay/{rx}/{rz}",
        tags=["content"],
        response_class=Response,
        responses={
            200: {"content": {OVERLAY_MEDIA_TYPE: {}}, "description": "The region's overlay as it is now."},
            304: {"description": "You have it."},
            400: {"description": "No region."},
            404: {"description": "Nothing was ever changed there."},
        },
    )
    async def overlay(rx: _RegionIndex, rz: _RegionIndex, request: Request) -> Response:
        """What people changed of a region's ground; which version it is stands within."""
        found = await source((rx, rz))
        if found is None:
            return _error(404, "not_found", f"expected a region that was edited, got {rx}, {rz}")
        # Not the version: a world that was restored counts some of them a second time.
        etag = f'"{hashlib.sha256(found.data).hexdigest()}"'
        headers = {"ETag": etag, "Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}
        if _matches(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        return Response(found.data, media_type=OVERLAY_MEDIA_TYPE, headers=headers)


def _matches(if_none_match: str | None, etag: str) -> bool:
    given = {tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")}
    return "*" in given or etag in given


def _add_page(app: FastAPI, about: Callable[[], About], web: Web) -> None:
    kept = {"Cache-Control": "no-store", "Content-Security-Policy": web.policy, "Vary": "Accept-Encoding"}

    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> HTMLResponse:
        now = about()
        scheme = "wss" if request.url.scheme == "https" else "ws"
        filled = {
            "world": now.world,
            "version": now.version,
            "people": _people(now.people),
            "coin": now.coin,
            "coins": now.coins,
            "digits": str(now.digits),
            "fee": str(now.fee),
            "socket": f"{scheme}://{request.headers.get('host', 'localhost')}{SUBPROTOCOL_PATH}",
        }
        body, headers = web.fill(filled).encode(), dict(kept)
        if _takes_gzip(request.headers.get("accept-encoding", "")):
            body, headers["Content-Encoding"] = gzip.compress(body, _QUICKLY), "gzip"
        return HTMLResponse(body, headers=headers)

    @app.get("/@{place}", include_in_schema=False)
    async def page_at(place: str, request: Request) -> HTMLResponse:
        if not _is_place(place):
            within = REGION_LIMIT * REGION_M
            raise HTTPException(404, f"expected /@x,z in metres from -{within} to {within}, got none")
        return await page(request)

    @app.get(SUBPROTOCOL_PATH, include_in_schema=False)
    async def no_upgrade() -> Response:
        text = f"expected a WebSocket handshake (RFC 6455), got a plain request; protocol {PROTOCOL_VERSION}"
        return _error(426, "upgrade_required", text, {"Upgrade": "websocket", "Connection": "Upgrade"})


def _add_web(app: FastAPI, web: Web) -> None:
    async def web_file(request: Request) -> Response:
        version, path = request.path_params["version"], request.path_params["path"]
        found = web.files.get(path) if version == web.version else None
        if found is None:
            raise HTTPException(404, f"expected a file of version {web.version}, got none")
        is_packed = found.packed is not None and _takes_gzip(request.headers.get("accept-encoding", ""))
        etag = f'"{found.sha256}-gzip"' if is_packed else f'"{found.sha256}"'
        headers = {
            "ETag": etag,
            "Cache-Control": _FOR_EVER,
            "Vary": "Accept-Encoding",
            # A worker is held to that of the module it starts with.
            "Content-Security-Policy": web.policy,
        }
        if _matches(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        if is_packed:
            headers["Content-Encoding"] = "gzip"
        return Response(
            found.packed if is_packed else found.data, headers=headers, media_type=found.media_type
        )

    # Without FastAPI's parameters, which take longer than the file: a page asks for a hundred.
    app.add_route("/web/{version}/{path:path}", web_file, include_in_schema=False)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    async def refused(request: Request, fault: HTTPException) -> Response:
        name = {404: "not_found", 405: "method_not_allowed"}.get(fault.status_code, "refused")
        text = f"{fault.detail}: {request.method} {request.url.path[:200]}"
        return _error(fault.status_code, name, text, fault.headers)

    @app.exception_handler(StoreUnavailable)
    async def unavailable(_request: Request, _fault: StoreUnavailable) -> Response:
        return _error(503, "unavailable", DATABASE_AWAY, {"Retry-After": "2"})

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, fault: RequestValidationError) -> Response:
        return _error(400, "invalid", "; ".join(str(error["msg"]) for error in fault.errors()))


def _error(status: int, name: str, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return JSONResponse({"error": name, "detail": detail}, status, headers=kept)


def _takes_gzip(accept_encoding: str) -> bool:
    for offer in accept_encoding.lower().split(","):
        name, _, quality = offer.partition(";")
        if name.strip() == "gzip":
            return quality.replace(" ", "").rstrip("0.") != "q="
    return False


def _is_place(text: str) -> bool:
    found = _PLACE.fullmatch(text)
    return found is not None and all(abs(float(part)) <= REGION_LIMIT * REGION_M for part in found.groups())


def _people(count: int) -> str:
    return {0: "Nobody is here yet: be the first.", 1: "One is here."}.get(count, f"{count:,} are here.")
