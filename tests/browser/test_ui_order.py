"""What people do about each other: find, block, report; and what staff does."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from live_server import Player, Served
from worldloom_sdk.protocol import messages as m

if TYPE_CHECKING:
    from playwright.async_api import Page

Visit = Callable[..., Any]


async def _open_person(page: "Page", name: str) -> None:
    await page.evaluate("app.panels.open('people')")
    await page.locator(".person", has_text=name).click()


async def test_somebody_is_blocked_and_comes_back(visit: Visit, world: Served) -> None:
    import browsing

    rob = await world.join("Rob Rude", bot=True)
    async with visit("/?flat") as page:
        await _open_person(page, "Rob Rude")
        await page.locator(".panel .badge.bot").wait_for()
        await page.get_by_role("button", name="Block").click()
        await page.get_by_role("dialog", name="Block Rob Rude?").get_by_role("button", name="Block").click()
        await browsing.until(page, f"!app.people.get({rob.you})")
        await page.evaluate("app.panels.open('people')")
        await page.get_by_role("button", name="Unblock Rob Rude").click()
        await browsing.until(page, f"Boolean(app.people.get({rob.you}))")
    await rob.leave()


async def _has_blocked(page: "Page", who: Player) -> None:
    import browsing

    await browsing.inside(page)
    await browsing.until(page, f"!app.people.get({who.you})")
    await page.evaluate("app.panels.open('people')")
    await page.get_by_role("button", name="Unblock Rob Again").wait_for()


async def test_a_block_of_a_guest_outlives_the_session(visit: Visit, world: Served) -> None:
    import browsing

    token = await browsing.account(world, "Bella Blocks")
    rob = await world.join("Rob Again")
    async with visit("/?flat", token=token) as page:
        you = await page.evaluate("app.world.welcome.you")
        await browsing.until(page, f"app.people.get({rob.you})?.name")
        await _open_person(page, "Rob Again")
        await page.get_by_role("button", name="Block").click()
        await page.get_by_role("dialog", name="Block Rob Again?").get_by_role("button", name="Block").click()
        await browsing.until(page, f"!app.people.get({rob.you})")
        await rob.until(lambda: you not in rob.view.avatars)
        await page.reload()
        await _has_blocked(page, rob)
        # Another tab, another session: the server's block of a guest went with the one before.
        again = await page.context.new_page()
        await page.close()
        await again.goto(f"http://127.0.0.1:{world.port}/?flat")
        await _has_blocked(again, rob)
        await rob.until(lambda: you not in rob.view.avatars)
    await rob.leave()


async def test_somebody_is_muted_and_the_buttons_stay_where_they_are(visit: Visit, world: Served) -> None:
    loud = await world.join("Lou Loud")
    async with visit("/?flat") as page:
        await _open_person(page, "Lou Loud")
        places = "all => all.map((one) => [one.offsetLeft, one.offsetTop])"
        before = await page.eval_on_selector_all(".acts button", places)
        await page.get_by_role("button", name="Mute").dblclick()
        await page.get_by_role("button", name="Unmute").wait_for()
        assert await page.get_by_role("button", name="Whisper").is_disabled()
        assert await page.get_by_role("button", name="Block").is_enabled()
        assert await page.eval_on_selector_all(".acts button", places) == before
        await page.evaluate("app.panels.open('people')")
        await page.get_by_role("heading", name="Muted by you").wait_for()
        await page.get_by_role("button", name="Unmute Lou Loud").click()
        await page.get_by_text("You and Lou Loud hear each other again.").wait_for()
    await loud.leave()


async def test_a_report_reaches_staff_who_close_it(visit: Visit, world: Served) -> None:
    import browsing

    token = await browsing.account(world, "Otto", "owner")
    rob = await world.join("Rob Report")
    async with visit("/?flat") as page, visit("/?flat", token=token) as staff:
        await _open_person(page, "Rob Report")
        await page.locator("summary", has_text="Report").click()
        await page.get_by_label("What is wrong with what Rob Report does?").fill("stands on my toes")
        await page.get_by_role("button", name="Send the report").click()
        await page.get_by_text("Staff will read it").wait_for()
        await staff.evaluate("app.panels.open('staff')")
        await staff.get_by_text("stands on my toes").wait_for()
        await staff.locator("summary", has_text="It is dealt with").click()
        await staff.get_by_role("button", name="Close the report").click()
        await staff.get_by_text("No report is open.").wait_for()
    await rob.leave()


async def test_who_is_sent_out_is_told_why_and_when_to_come_back(visit: Visit, world: Served) -> None:
    import browsing

    token = await browsing.account(world, "Kim", "moderator")
    async with visit("/?flat") as page, visit("/?flat", token=token) as staff:
        name = await page.evaluate("app.world.me.name")
        await _open_person(staff, name)
        await staff.locator("summary", has_text="Keep order").click()
        await staff.get_by_label("Reason").fill("shouting")
        await staff.get_by_role("button", name="Do it").click()
        await page.get_by_role("dialog", name="You were sent out").wait_for()
        assert await page.get_by_text("shouting").is_visible()
        assert await page.get_by_role("button", name="Come back").is_disabled()


async def test_guests_have_no_panel_of_order(visit: Visit) -> None:
    async with visit("/?flat") as page:
        assert await page.locator("[data-panel=staff], [data-panel=notices]").count() == 0


async def test_a_payment_is_told_at_once_and_stands_in_the_news(visit: Visit, world: Served) -> None:
    import browsing

    payer, payee = await browsing.account(world, "Pam"), await browsing.account(world, "Pia")
    await browsing.operator(world, "money", "mint", "100", "--to", "Pam")
    pam = await world.join(token=payer)
    async with visit("/?flat", token=payee) as page:
        paid = await pam.ask(m.Money(1, m.MoneyAct.PAY, key=b"k" * 16, name="Pia", amount=1250))
        assert isinstance(paid, m.Done), paid
        await page.locator(".toast", has_text="Pam paid you 12.50").wait_for()
        await page.evaluate("app.panels.open('notices')")
        await page.locator(".panel", has_text="Pam paid you 12.50").wait_for()
    await pam.leave()
