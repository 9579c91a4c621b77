"""Who is shown what over HTTP, asked of the application itself from addresses near and far."""

import httpx
import pytest

from worldloom.gateway.pages import About, make_app

TOKEN = "0123456789abcdef" * 4
HEALTH = {
    "ok": True,
    "status": "open",
    "version": "1",
    "world": "Hills",
    "sessions": 2,
    "rss_bytes": 5,
    "problems": [],
}
NEAR, FAR = "127.0.0.1", "203.0.113.9"


class Site:
    """An application, its clock in hand, and how often its metrics were rendered."""

    def __init__(self, token=TOKEN):
        self.now, self.renderings = 0.0, 0
        self.app = make_app(
            lambda: HEALTH,
            self._render,
            self._nothing,
            self._about,
            metrics_token=token,
            now=lambda: self.now,
        )

    def _render(self):
        self.renderings += 1
        return b"worldloom_up 1\n"

    async def _nothing(self, _sha256):
        return None

    def _about(self):
        return About("Hills", "1", 2)

    async def ask(self, path, address=NEAR, method="GET", **headers):
        transport = httpx.ASGITransport(self.app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://world") as client:
            return await client.request(
                method, path, headers={k.replace("_", "-"): v for k, v in headers.items()}
            )


@pytest.mark.parametrize("address", [NEAR, "127.8.8.8", "::1", "::ffff:127.0.0.1"])
async def test_metrics_are_open_to_this_machine(address):
    assert (await Site().ask("/metrics", address)).text == "worldloom_up 1\n"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_metrics_are_open_to_who_has_the_token(scheme):
    assert (await Site().ask("/metrics", FAR, Authorization=f"{scheme} {TOKEN}")).status_code == 200


STRANGERS = {
    "nothing given": (FAR, {}),
    "another token": (FAR, {"Authorization": "Bearer " + "0" * 64}),
    "another scheme": (FAR, {"Authorization": f"Basic {TOKEN}"}),
    "an empty token": (FAR, {"Authorization": "Bearer "}),
    "no ASCII": (FAR, {"Authorization": "Bearer \u00fc"}),
    "no address": ("", {}),
    "through a proxy that nobody named": (NEAR, {"X-Forwarded-For": FAR}),
    "through another kind of proxy": (NEAR, {"Forwarded": f"for={FAR}"}),
}


@pytest.mark.parametrize("case", STRANGERS)
@pytest.mark.parametrize("token", [TOKEN, ""])
async def test_metrics_are_closed_to_strangers_and_the_answer_says_what_to_do(case, token):
    address, headers = STRANGERS[case]
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = await Site(token).ask("/metrics", address, **raw)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"] == "unauthorized"
    assert "metrics.token" in answer.json()["detail"]


async def test_a_stranger_is_told_of_health_only_what_concerns_everybody():
    site = Site()
    assert (await site.ask("/healthz")).json() == HEALTH
    assert (await site.ask("/healthz", FAR, Authorization=f"Bearer {TOKEN}")).json() == HEALTH
    assert (await site.ask("/healthz", FAR)).json() == {
        "ok": True,
        "status": "open",
        "version": "1",
        "world": "Hills",
        "sessions": 2,
    }


async def test_metrics_are_rendered_once_a_second_however_many_ask():
    site = Site()
    for site.now in (0.0, 0.5, 0.9, 1.0, 1.5):
        await site.ask("/metrics")
    assert site.renderings == 2


async def test_a_path_that_is_nearly_one_leads_nowhere():
    assert [(await Site().ask(path)).status_code for path in ("/metrics/", "/healthz/", "/ws/")] == [404] * 3


async def test_without_javascript_the_page_has_the_bot_of_the_readme_and_no_name_that_two_would_share():
    text = (await Site().ask("/")).text.partition("<body>")[2].partition("<noscript>")[2]
    assert 'bot = Bot("ws://world/ws")' in text
    assert "from worldloom_sdk import Bot, Joined" in text
    assert "pip install ." in text
    assert "2 are here." in text
    assert "name=" not in text.partition("<pre")[2].partition("</pre>")[0]


async def test_a_link_to_a_place_is_the_page():
    page = (await Site().ask("/")).text
    for place in ("/@0,0", "/@-120,88.25", "/@12%2C7", "/@8388352,-8388352"):
        answer = await Site().ask(place)
        assert (answer.status_code, answer.text) == (200, page)


NOWHERE = [
    "/@",
    "/@1",
    "/@1,2,3",
    "/@a,b",
    "/@nan,0",
    "/@1e3,0",
    "/@8388353,0",
    "/@0,99999999",
    "/@\u0661,0",
    "/@0,0/",
]


@pytest.mark.parametrize("place", NOWHERE)
async def test_a_link_beyond_the_world_leads_nowhere(place):
    answer = await Site().ask(place)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
