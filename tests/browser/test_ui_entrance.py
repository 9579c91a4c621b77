"""Coming in: at once where that may be, else by what the world asks for; and coming back."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from live_server import Served, served
from worldloom_sdk.protocol import messages as m

if TYPE_CHECKING:
    from playwright.async_api import Page

Visit = Callable[..., Any]
ME = "({ name: app.world.me.name, role: app.world.role, you: app.world.welcome.you })"
BAR = re.compile(r"M(\d+) (\d+)h(\d+)")
"""Dark points of a row, from where and how many."""


async def test_whoever_opens_the_link_stands_in_the_world(page: "Page") -> None:
    assert await page.evaluate("app.world.connected && app.world.welcome.you > 0")


async def test_a_reload_goes_on_with_the_same_guest(visit: Visit) -> None:
    import browsing

    async with visit("/?flat") as page:
        before = await page.evaluate(ME)
        await page.reload()
        await browsing.inside(page)
        assert await page.evaluate(ME) == before


async def test_a_guest_who_chooses_a_name_keeps_it_and_the_place(visit: Visit) -> None:
    import browsing

    async with visit("/?flat", first=True) as page:
        await page.evaluate("app.body.walkTo(app.world.me.x + 30, app.world.me.z)")
        at = await page.evaluate("app.world.me.x")
        await page.get_by_label("Your name").fill("Wanda")
        await page.get_by_role("button", name="Keep this name").click()
        dialog = page.get_by_role("dialog", name="Write this down")
        assert len(await dialog.get_by_label("Recovery code").inner_text()) == 26 + 6
        assert await dialog.get_by_role("button", name="Go on").is_disabled()
        await dialog.get_by_label("I have it").check()
        async with page.expect_navigation():
            await dialog.get_by_role("button", name="Go on").click()
        await browsing.inside(page)
        assert (await page.evaluate(ME)).items() >= {"name": "Wanda", "role": "resident"}.items()
        assert f"/@{at:.1f}," in page.url
        await page.reload()
        await browsing.inside(page)
        assert (await page.evaluate(ME))["name"] == "Wanda"


async def test_whom_a_guest_mutes_stays_mute_for_the_account_and_its_other_devices(
    visit: Visit, world: Served
) -> None:
    import browsing

    lou, kim = await world.join("Lou Listed"), await world.join("Kim Kept", keep=True)
    unmute = [f"Unmute {name}" for name in ("Lou Listed", "Kim Kept")]
    # On smaller pages the chat is folded.
    async with visit("/?flat", viewport={"width": 1000, "height": 640}) as page:
        for player in (lou, kim):
            await browsing.until(page, f"app.people.get({player.you})?.name")
            await page.evaluate("app.panels.open('people')")
            await page.locator(".person", has_text=player.welcome.name).click()
            await page.get_by_role("button", name="Mute").click()
            await page.get_by_role("button", name="Unmute").wait_for()
        await page.evaluate("app.panels.open('account')")
        await page.get_by_label("Your name").fill("Mia Mutes")
        await page.get_by_role("button", name="Keep this name").click()
        await page.get_by_role("dialog").get_by_label("I have it").check()
        async with page.expect_navigation():
            await page.get_by_role("dialog").get_by_role("button", name="Go on").click()
        await browsing.inside(page)
        await page.evaluate("app.panels.open('people')")
        for name in unmute:
            await page.get_by_role("button", name=name).wait_for()
        await lou.ask(m.Say(1, 0, "fresh fish"))
        await kim.ask(m.Say(1, 0, "fresh figs"))
        assert "fresh" not in (await page.locator("[role=log]").text_content() or "")
        token = await page.evaluate("app.world.token")
        # A block of a guest is this session's.
        async with visit("/?flat", token=token) as other:
            await other.evaluate("app.panels.open('people')")
            await other.get_by_role("button", name=unmute[1]).wait_for()
    await lou.leave()
    await kim.leave()


async def test_another_device_comes_in_by_the_link_that_the_first_one_shows(
    visit: Visit, world: Served
) -> None:
    import browsing

    token = await browsing.account(world, "Paula")
    async with visit("/?flat", token=token) as first, visit("/?flat") as second:
        await first.evaluate("app.panels.open('account')")
        await first.get_by_role("button", name="Show a code for another device").click()
        code = await first.get_by_label("Code for another device").inner_text()
        await second.goto(f"http://127.0.0.1:{world.port}/?flat&code={code}")
        await second.get_by_role("button", name="Use that account here").click()
        await browsing.inside(second)
        assert (await second.evaluate(ME))["name"] == "Paula"
        assert code not in second.url
        assert await first.get_by_role("dialog", name="You are here in another place").is_visible()


async def test_the_link_for_another_device_is_there_as_a_picture_for_its_camera(
    visit: Visit, world: Served
) -> None:
    import browsing

    token = await browsing.account(world, "Quentin")
    async with visit("/?flat", token=token) as page:
        await page.evaluate("app.panels.open('account')")
        await page.get_by_role("button", name="Show a code for another device").click()
        picture = page.get_by_role("img", name="The link for another device, as a QR code")
        await picture.wait_for()
        left, top, side, _ = map(int, (await picture.get_attribute("viewBox") or "").split())
        bars = set(BAR.findall(await picture.locator("path").get_attribute("d") or ""))
        # Light all round; and the mark by which a reader finds it in each corner but one.
        assert (left, top) == (-4, -4)
        far = str(side - 8 - 7)
        assert {("0", "0", "7"), (far, "0", "7"), ("0", far, "7")} <= bars
        assert (far, far, "7") not in bars


async def test_a_newcomer_with_a_code_enters_it_at_once(visit: Visit, world: Served) -> None:
    import browsing

    token = await browsing.account(world, "Cora")
    async with visit("/?flat", token=token) as first, visit("/?flat", first=True) as second:
        await first.evaluate("app.panels.open('account')")
        await first.get_by_role("button", name="Show a code for another device").click()
        code = await first.get_by_label("Code for another device").inner_text()
        await second.get_by_role("button", name="I have a code").click()
        await browsing.until(second, "document.activeElement.matches('input.code')")
        await second.keyboard.type(code)
        async with second.expect_navigation():
            await second.keyboard.press("Enter")
        await browsing.inside(second)
        assert (await second.evaluate(ME))["name"] == "Cora"


async def test_a_world_with_a_password_asks_for_it(visit: Visit, tmp_path: Path) -> None:
    import browsing

    (tmp_path / "password").write_text("sesame\n")
    (tmp_path / "password").chmod(0o600)
    access = {"mode": "password", "password_file": str(tmp_path / "password")}
    async with (
        served(tmp_path / "data", access=access) as world,
        visit("/?flat", port=world.port, settled=False) as page,
    ):
        await page.get_by_role("textbox", name="Password").fill("sesam")
        await page.get_by_role("button", name="Come in", exact=True).click()
        await page.get_by_text("That was not it").wait_for()
        await page.get_by_role("textbox", name="Password").fill("sesame")
        await page.get_by_role("button", name="Come in", exact=True).click()
        await browsing.inside(page)
        await page.reload()
        await browsing.inside(page)


async def test_an_invitation_in_the_link_is_used_and_leaves_the_address(visit: Visit, tmp_path: Path) -> None:
    import browsing

    async with served(tmp_path / "data", access={"mode": "open"}) as open_world:
        token = await browsing.account(open_world, "Olga", "owner")
    async with served(tmp_path / "data", access={"mode": "invitation"}) as world:
        olga = await world.join(token=token)
        invitation = (await olga.ask(m.Order(1, m.OrderAct.INVITE))).result[0]  # type: ignore[union-attr]
        async with visit(f"/?flat&access={invitation}", port=world.port, settled=False) as page:
            assert await page.get_by_role("textbox", name="Invitation").input_value() == invitation
            await page.get_by_role("textbox", name="Name").fill("Ivy")
            await page.get_by_role("button", name="Come in", exact=True).click()
            await browsing.inside(page)
            assert (await page.evaluate(ME))["name"] == "Ivy"
            assert invitation not in page.url
            assert await page.get_by_role("dialog", name="Write this down").is_visible()


async def test_a_browser_whose_key_was_taken_back_may_come_in_as_somebody_new(visit: Visit) -> None:
    import browsing

    async with visit("/?flat", token="x" * 40, settled=False) as page:
        await page.get_by_role("button", name="Come in as somebody new").click()
        await browsing.inside(page)
        assert (await page.evaluate(ME))["role"] == "guest"
