"""Whoever is in view is drawn, named and heard, and a crowd costs a few draw calls."""

from pathlib import Path
from typing import TYPE_CHECKING

from browsing import until
from live_server import Served
from worldloom_sdk.protocol import messages as m

if TYPE_CHECKING:
    from playwright.async_api import Page

CROWD = "() => {" + (Path(__file__).parent / "crowd.js").read_text() + "}"
MADE_UP = "app.people.list().filter(({ avatar }) => avatar >= 1000000 && avatar < 2000000).length"


async def test_who_comes_is_in_the_list_by_name_and_who_goes_is_not(page: "Page", world: Served) -> None:
    other = await world.join("Ilka")
    await until(page, "app.people.list().some(({ name }) => name === 'Ilka')")
    assert await page.evaluate(f"app.people.get({other.you}).name") == "Ilka"
    assert await page.evaluate("app.people.list().every(({ avatar }) => avatar !== app.world.me.id)")
    await other.leave()
    await until(page, "app.people.list().every(({ name }) => name !== 'Ilka')")


async def test_words_stand_over_a_head_for_a_while_and_stay_words(page: "Page", world: Served) -> None:
    other = await world.join("Mart")
    await until(page, f"app.people.get({other.you})?.name")
    await other.ask(m.Say(1, 0, "<b>Good day</b>"))
    await until(
        page, "[...document.querySelectorAll('.bubble')].some((one) => one.textContent === '<b>Good day</b>')"
    )
    await until(
        page,
        "[...document.querySelectorAll('.tag:not([hidden]) .tag-name')].some((one) => one.textContent === 'Mart')",
    )
    await until(
        page, "[...document.querySelectorAll('.bubble')].every((one) => one.hidden || !one.textContent)"
    )
    await other.leave()


async def test_a_body_is_drawn_where_it_walked(page: "Page", world: Served) -> None:
    other = await world.join("Pia")
    await until(page, f"app.people.get({other.you})")
    x, z = await page.evaluate("[app.body.pose.x + 6, app.body.pose.z + 2]")
    other.move(x, z)
    await until(
        page, f"Math.hypot(app.people.get({other.you}).x - {x}, app.people.get({other.you}).z - {z}) < 0.05"
    )
    await other.leave()


async def test_a_thousand_people_take_six_draw_calls_and_walk_where_they_are_told(page: "Page") -> None:
    await page.evaluate(CROWD)
    await page.evaluate("globalThis.crowd = makeCrowd({ count: 1000 }); 0")
    await until(page, f"{MADE_UP} === 1000")
    drawn = await page.evaluate("app.stage.drawn")
    await until(page, f"app.stage.drawn > {drawn} + 20")
    meshes = await page.evaluate("app.stage.scene.children.filter((one) => one.name === 'people').length")
    assert meshes <= 6
    # They walk round circles of 3.5 m, and are drawn a little behind.
    worst = await page.evaluate(
        """Math.max(...crowd.people.map((one) => {
             const at = app.people.get(1000000 + one.n);
             return Math.abs(Math.hypot(at.x - one.x, at.z - one.z) - 3.5);
           }))"""
    )
    assert worst < 1
    await page.evaluate("crowd.stop()")
