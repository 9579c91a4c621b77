"""Chat: what is said is heard, and words of others are text alone."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from live_server import Served
from worldloom_sdk.protocol import messages as m

if TYPE_CHECKING:
    from playwright.async_api import Page

Visit = Callable[..., Any]
WORDS = "Your words"
DESK = {"width": 1000, "height": 640}
"""On smaller ones the chat is folded."""


async def _type(page: "Page", words: str) -> None:
    await page.get_by_label(WORDS).fill(words)
    await page.get_by_label(WORDS).press("Enter")


async def test_words_are_heard_on_both_sides_and_stay_text(visit: Visit, world: Served) -> None:
    ada = await world.join("Ada Chat")
    async with visit("/?flat", viewport=DESK) as page:
        await ada.until(lambda: len(ada.view.avatars) > 1)
        await _type(page, "Good morning")
        await ada.until(lambda: [line.text for line in ada.lines] == ["Good morning"])
        await ada.ask(m.Say(1, 0, "<b>and</b> to you"))
        await page.get_by_role("log").get_by_text("<b>and</b> to you").wait_for()
        assert await page.get_by_role("log").locator("b", has_text="and").count() == 0
    await ada.leave()


async def test_a_whisper_is_written_by_name_and_answered_by_its_kind(visit: Visit, world: Served) -> None:
    ada = await world.join("Ada Lovely")
    async with visit("/?flat", viewport=DESK) as page:
        you = await page.evaluate("app.world.welcome.you")
        await ada.ask(m.Whisper(1, you, "psst"))
        await page.get_by_role("log").get_by_text("psst").wait_for()
        await _type(page, "/w Ada Lovely what is it?")
        assert (await ada.next(m.Whispered)).text == "what is it?"
        await page.get_by_label("How loud").select_option("whisper")
        await _type(page, "tell me")
        assert (await ada.next(m.Whispered)).text == "tell me"
    await ada.leave()


async def test_what_was_typed_comes_back_by_the_arrow_up(visit: Visit) -> None:
    async with visit("/?flat", viewport=DESK) as page:
        await _type(page, "one")
        await _type(page, "/s two")
        words = page.get_by_label(WORDS)
        for key, expected in (
            ("ArrowUp", "/s two"),
            ("ArrowUp", "one"),
            ("ArrowDown", "/s two"),
            ("ArrowDown", ""),
        ):
            await words.press(key)
            assert await words.input_value() == expected
        # It comes back by the server.
        await page.locator(".line.shout.mine").wait_for()


async def test_an_unknown_command_is_explained_and_not_lost(visit: Visit) -> None:
    async with visit("/?flat", viewport=DESK) as page:
        await _type(page, "/dance now")
        await page.get_by_text("There is no /dance").wait_for()
        assert await page.get_by_label(WORDS).input_value() == "/dance now"


async def test_a_folded_chat_counts_what_came(visit: Visit, world: Served) -> None:
    ada = await world.join("Ada Counts")
    async with visit("/?flat", viewport={"width": 390, "height": 844}) as page:
        await ada.ask(m.Say(1, 0, "one"))
        await ada.ask(m.Say(2, 0, "two"))
        await page.get_by_role("button", name="Open the chat, 2 new").click()
        await page.get_by_role("log").get_by_text("two").wait_for()
        await page.get_by_role("button", name="Fold the chat away").click()
        assert await page.get_by_role("button", name="Open the chat", exact=True).is_visible()
    await ada.leave()


async def test_who_is_muted_is_told_why_and_cannot_type(visit: Visit, world: Served) -> None:
    import browsing

    token = await browsing.account(world, "Mona", "moderator")
    mona = await world.join(token=token)
    async with visit("/?flat", viewport=DESK) as page:
        you = await page.evaluate("app.world.welcome.you")
        assert isinstance(
            await mona.ask(m.Order(1, m.OrderAct.MUTE, avatar=you, minutes=5, text="noise")), m.Done
        )
        await page.get_by_text("You cannot speak for 5 min: noise").wait_for()
        assert await page.get_by_label(WORDS).is_disabled()
        await mona.ask(m.Order(2, m.OrderAct.UNMUTE, avatar=you))
        await browsing.until(page, f"!document.querySelector('[aria-label=\"{WORDS}\"]').disabled")
    await mona.leave()
