"""The HTTP side of a gateway: health, metrics, content by hash, a page for people. Knows no sessions and no SQL.

Whatever is shown comes from callables that the application hands in. Every answer carries security headers; errors
are JSON with a stable ``error`` and a ``detail`` that says expected and got.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worldloom.errors import StoreUnavailable
from worldloom.gateway.limits import RateLimit, address_key
from worldloom_sdk.protocol.messages import PROTOCOL_VERSION, SUBPROTOCOL_PATH

__all__ = ["About", "ContentSource", "make_app"]

ContentSource = Callable[[str], Awaitable[tuple[str, bytes] | None]]
"""Content by the sha256 of its bytes: media type and bytes; None when there is none of that hash."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FOR_EVER = "public, max-age=31536000, immutable"
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; "
        b"base-uri 'none'; form-action 'none'",
    ),
)


@dataclass(frozen=True, slots=True)
class About:
    """What the page for people says."""

    world: str
    version: str
    people: int
    """Avatars in the world now."""


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
    """Limits requests by address and adds the security headers, around the whole application."""

    def __init__(self, app: ASGIApp, requests: RateLimit, on_answer: Callable[[int], None]) -> None:
        self._app, self._requests, self._on_answer = app, requests, on_answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._on_answer(message["status"])
                message["headers"] = [*message.get("headers", ()), *_SECURITY_HEADERS]
            await send(message)

        client = scope.get("client")
        wait = self._requests.take(address_key(client[0]), time.monotonic()) if client else 0.0
        if wait:
            answer = _error(429, "rate", "too many requests", {"Retry-After": str(int(wait) + 1)})
            await answer(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)


def make_app(
    health: Callable[[], dict[str, Any]],
    metrics: Callable[[], bytes],
    content: ContentSource,
    about: Callable[[], About],
    requests_per_s: float = 50.0,
    content_cache_bytes: int = 32 * 1024 * 1024,
    on_answer: Callable[[int], None] = lambda status: None,
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
    """
    app = FastAPI(title="Worldloom", version=about().version, docs_url=None, redoc_url=None)
    app.add_middleware(_Frontage, requests=RateLimit(requests_per_s, 2 * requests_per_s), on_answer=on_answer)
    _add_status(app, health, metrics)
    _add_content(app, _ContentCache(content, content_cache_bytes))
    _add_pages(app, about)
    _add_errors(app)
    return app


def _add_status(app: FastAPI, health: Callable[[], dict[str, Any]], metrics: Callable[[], bytes]) -> None:
    @app.get("/healthz", tags=["operation"], responses={503: {"description": "Something is wrong."}})
    async def healthz() -> JSONResponse:
        """Whether the world is well, and its most telling numbers."""
        state = health()
        status = 200 if state.get("ok") else 503
        return JSONResponse(state, status, headers={"Cache-Control": "no-store"})

    @app.get("/metrics", tags=["operation"], response_class=PlainTextResponse)
    async def prometheus() -> Response:
        """All numbers, for Prometheus."""
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


def _matches(if_none_match: str | None, etag: str) -> bool:
    given = {tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")}
    return "*" in given or etag in given


def _add_pages(app: FastAPI, about: Callable[[], About]) -> None:
    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> HTMLResponse:
        now = about()
        filled = {
            "world": escape(now.world),
            "version": escape(now.version),
            "people": _people(now.people),
            "scheme": "wss" if request.url.scheme == "https" else "ws",
            "host": escape(request.headers.get("host", "localhost")),
            "path": SUBPROTOCOL_PATH,
        }
        return HTMLResponse(_fill(_PAGE, filled), headers={"Cache-Control": "no-store"})

    @app.get(SUBPROTOCOL_PATH, include_in_schema=False)
    async def no_upgrade() -> Response:
        text = f"expected a WebSocket handshake (RFC 6455), got a plain request; protocol {PROTOCOL_VERSION}"
        return _error(426, "upgrade_required", text, {"Upgrade": "websocket", "Connection": "Upgrade"})


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    async def refused(request: Request, fault: HTTPException) -> Response:
        name = {404: "not_found", 405: "method_not_allowed"}.get(fault.status_code, "refused")
        text = f"{fault.detail}: {request.method} {request.url.path[:200]}"
        return _error(fault.status_code, name, text, fault.headers)

    @app.exception_handler(StoreUnavailable)
    async def unavailable(_request: Request, fault: StoreUnavailable) -> Response:
        return _error(503, "unavailable", f"the database cannot be asked: {fault}", {"Retry-After": "2"})

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, fault: RequestValidationError) -> Response:
        return _error(400, "invalid", "; ".join(str(error["msg"]) for error in fault.errors()))


def _error(status: int, name: str, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return JSONResponse({"error": name, "detail": detail}, status, headers=kept)


def _people(count: int) -> str:
    return {0: "Nobody is here yet: be the first.", 1: "One is here."}.get(count, f"{count:,} are here.")


def _fill(template: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], template)


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{world}}</title>
<style>
:root { color-scheme: light dark; --ink: #22303a; --soft: #5d7180; --sky: #dfeaf1; --land: #f7f5ef; --line: #c9d6dd;
  --hill1: #9fb7a4; --hill2: #7d9c86; --hill3: #5c7f6b; --code: #ffffffb0 }
@media (prefers-color-scheme: dark) { :root { --ink: #e4ecef; --soft: #93a7b3; --sky: #17222b; --land: #10171c;
  --line: #2d3d48; --hill1: #2b4138; --hill2: #22362e; --hill3: #1a2b25; --code: #0b1115b0 } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; grid-template-rows: 1fr auto; color: var(--ink);
  font: 17px/1.55 ui-sans-serif, system-ui, sans-serif; background: linear-gradient(var(--sky), var(--land) 75%) }
main { width: min(42rem, 100% - 3rem); margin: 12vh auto 3rem }
h1 { font-size: clamp(2.2rem, 7vw, 3.6rem); line-height: 1.05; letter-spacing: -.02em; margin: 0 0 .4rem;
  overflow-wrap: anywhere }
p { margin: .5rem 0 } .soft { color: var(--soft) } .here { font-weight: 600 }
pre { margin: 1.6rem 0 .6rem; padding: 1.1rem 1.3rem; border: 1px solid var(--line); border-radius: .7rem;
  background: var(--code); overflow-x: auto; font: 14px/1.6 ui-monospace, monospace }
a { color: inherit } svg { display: block; width: 100%; height: 16vh }
</style>
<main>
<h1>{{world}}</h1>
<p class="here">{{people}}</p>
<p class="soft">A world to walk in, over hills that go on where you go. People and bots come in through one door:</p>
<pre><code>from worldloom_sdk.bot import Bot
from worldloom_sdk.events import Joined
bot = Bot("{{scheme}}://{{host}}{{path}}", name="Visitor")
@bot.on(Joined)
async def begin(_): await bot.say("Hello!")
bot.run()</code></pre>
<p class="soft">Worldloom {{version}} ·
<a href="/healthz">health</a> · <a href="/metrics">numbers</a> · <a href="/openapi.json">HTTP interface</a></p>
</main>
<svg viewBox="0 0 1200 200" preserveAspectRatio="none" aria-hidden="true">
<path fill="var(--hill1)" d="M0 90 Q150 20 320 80 T640 70 T960 60 T1200 90 V200 H0Z"/>
<path fill="var(--hill2)" d="M0 130 Q200 70 420 125 T800 110 T1200 130 V200 H0Z"/>
<path fill="var(--hill3)" d="M0 165 Q260 115 560 160 T1200 155 V200 H0Z"/>
</svg>
</html>
"""
