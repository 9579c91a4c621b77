"""Land in the browser: claiming, selling and buying it, what its page tells, the market, and the wallet."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from live_server import Served, served

if TYPE_CHECKING:
    from playwright.async_api import Page

Visit = Callable[..., Any]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
ZOOMED = {"viewport": {"width": 640, "height": 360}, "device_scale_factor": 2}
OVER = """() => [...document.querySelectorAll(".panel-body")].filter((box) => box.scrollWidth > box.clientWidth + 1)
  .map((box) => `${box.scrollWidth} in ${box.clientWidth}`)"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A world where all land can be claimed."""
    data: Path = tmp_path_factory.mktemp("land") / "data"
    async with served(data, land={"claim": "anywhere", "price": 1_000}) as running:
        yield running


async def rich(world: Served, name: str) -> str:
    """The token of an account with 500 coins."""
    import browsing

    token = await browsing.account(world, name)
    await browsing.operator(world, "money", "mint", "500", "--to", name)
    return token


async def claim(page: "Page", name: str, parcels: list[tuple[int, int]]) -> int:
    """Claim by the panel; the estate's number."""
    import browsing

    px, pz = parcels[0]
    await page.evaluate(f"app.panels.open('land', {{ claim: {{ px: {px}, pz: {pz} }} }})")
    for px, pz in parcels[1:]:
        await page.locator(f'[data-parcel="{px},{pz}"]').click()
    await page.locator(".land-sum", has_text=f"{10 * len(parcels)} crowns").wait_for()
    await page.get_by_label("Name of the estate").fill(name)
    await page.get_by_role("button", name="Claim this land").click()
    await page.locator(".land-name", has_text=name).wait_for()
    found = f"({{ estates }}) => estates.find((one) => one.name === '{name}')?.estate"
    holdings = f"app.world.trade.estate('holdings').then({found})"
    return int(await browsing.until(page, holdings))


async def test_a_plot_is_claimed_sold_and_bought_and_the_wallets_tell(visit: Visit, world: Served) -> None:
    tokens = await rich(world, "Sella"), await rich(world, "Byron")
    async with visit("/?flat", token=tokens[0]) as seller, visit("/?flat", token=tokens[1]) as buyer:
        estate = await claim(seller, "Brook End", [(8, 8), (9, 8)])
        await seller.locator("summary", has_text="Sell").click()
        await seller.get_by_label("Price, in crowns").fill("120.50")
        await seller.get_by_role("button", name="Offer it for sale").click()
        await seller.locator(".offer .land-price", has_text="120.50 crowns").wait_for()

        await buyer.evaluate("app.panels.open('market')")
        await buyer.get_by_role("button", name="Buy: Brook End").click()
        await buyer.locator(".offer", has_text="You have 500 crowns.").wait_for()
        await buyer.get_by_role("button", name="Buy for 120.50 crowns").dblclick()
        await (
            buyer.get_by_role("dialog", name="Buy Brook End?")
            .get_by_role("button", name="Pay 120.50 crowns")
            .click()
        )
        await buyer.get_by_text("Brook End is yours.").wait_for()
        await seller.locator(".toast", has_text="You sold “Brook End” to Byron").wait_for()
        await buyer.get_by_text("Yours", exact=True).wait_for()
        owner = await buyer.evaluate(f"app.world.trade.estate('show', {{ estate: {estate} }})")
        assert owner["owner_name"] == "Byron"

        await buyer.evaluate("app.panels.open('wallet')")
        await buyer.locator(".balance", has_text="379.50 crowns").wait_for()
        await seller.evaluate("app.panels.open('wallet')")
        # 500, less 20 for the land, and 120.50 less 2.5 %.
        await seller.locator(".balance", has_text="597.49 crowns").wait_for()
        await seller.locator(".entry", has_text="Land sold").wait_for()


async def test_an_estate_is_auctioned_and_another_one_let(visit: Visit, world: Served) -> None:
    tokens = await rich(world, "Auguste"), await rich(world, "Bidda")
    async with visit("/?flat", token=tokens[0]) as owner, visit("/?flat", token=tokens[1]) as other:
        lot = await claim(owner, "Lot", [(30, 8)])
        await owner.locator("summary", has_text="Sell").click()
        await owner.get_by_label("Least bid, in crowns").fill("20")
        await owner.get_by_label("Each bid higher by, in crowns").fill("5")
        await owner.get_by_role("button", name="Begin the auction").click()
        await owner.get_by_role("button", name="Withdraw the offer").wait_for()
        room = await claim(owner, "Room", [(32, 8)])
        await owner.locator("summary", has_text="Let").click()
        await owner.get_by_label("Rent, in crowns").fill("3")
        await owner.get_by_role("button", name="Offer it to let").click()
        await owner.get_by_role("button", name="Offer it no longer").wait_for()

        await other.evaluate(f"app.panels.open('land', {{ estate: {lot} }})")
        await other.get_by_label("Your bid, in crowns").fill("22")
        await other.get_by_role("button", name="Bid", exact=True).click()
        await other.locator("dialog").get_by_role("button", name="Bid", exact=True).click()
        await other.get_by_text("Your bid is the highest.").wait_for()
        await other.evaluate(f"app.panels.open('land', {{ estate: {room} }})")
        await other.get_by_label("How many times").fill("2")
        await other.get_by_role("button", name="Lease it").click()
        await other.locator("dialog").get_by_role("button", name="Pay 6 crowns").click()
        await other.get_by_text("You have leased it until").wait_for()
        await other.evaluate("app.panels.open('land', { tab: 'mine' })")
        await other.locator(".person", has_text="Lot").wait_for()
        await other.locator(".person", has_text="Room").wait_for()
        await owner.locator(".toast", has_text="Bidda has leased").wait_for()


async def test_who_pays_somebody_sees_it_in_the_statement(visit: Visit, world: Served) -> None:
    token = await rich(world, "Paola")
    await rich(world, "Gerda")
    async with visit("/?flat", token=token) as page:
        await page.evaluate("app.panels.open('wallet')")
        await page.locator("summary", has_text="Pay somebody").click()
        await page.get_by_label("To", exact=True).fill("Gerda")
        await page.get_by_label("Amount").fill("12,5 coins")
        await page.get_by_role("button", name="Pay", exact=True).click()
        await page.get_by_text("Expected an amount such as 12.50").wait_for()
        await page.get_by_label("Amount").fill("12.50")
        await page.get_by_role("button", name="Pay", exact=True).click()
        await page.locator("dialog").get_by_role("button", name="Pay", exact=True).click()
        await page.locator(".entry", has_text="to Gerda").get_by_text("−12.50 crowns").wait_for()
        await page.locator(".balance", has_text="487.50 crowns").wait_for()


async def test_an_owner_says_who_may_come_in(visit: Visit, world: Served) -> None:
    token = await rich(world, "Rita")
    await rich(world, "Gus")
    async with visit("/?flat", token=token) as page:
        estate = await claim(page, "Rita House", [(2, 2)])
        await page.locator("summary", has_text="Who may do what").click()
        await page.get_by_label("walk in", exact=True).uncheck()
        await page.get_by_role("button", name="Save for everyone").click()
        await page.get_by_text("Saved: it holds from now on.").wait_for()
        rights = await page.evaluate(f"app.world.trade.estate('rights', {{ estate: {estate} }})")
        assert not rights["everyone"] & 1
        await page.locator("summary", has_text="The register").click()
        await page.get_by_text("Rita claimed a parcel.").wait_for()


async def test_a_guest_is_told_how_to_own_land(visit: Visit) -> None:
    async with visit("/?flat") as page:
        await page.evaluate("app.panels.open('land', { tab: 'mine' })")
        await page.get_by_text("Land and money belong to accounts").wait_for()
        await page.evaluate("app.panels.open('market')")
        await page.locator(".market-results > *").first.wait_for()


async def test_a_guest_who_would_buy_is_told_what_to_do(visit: Visit, world: Served) -> None:
    token = await rich(world, "Sid")
    async with visit("/?flat", token=token) as seller, visit("/?flat") as guest:
        estate = await claim(seller, "Sid End", [(40, 8)])
        offer = f"{{ key: crypto.getRandomValues(new Uint8Array(16)), estate: {estate}, price: 500 }}"
        await seller.evaluate(f"app.world.trade.market('sell', {offer})")
        await guest.evaluate("app.panels.open('market')")
        await guest.get_by_role("button", name="Buy: Sid End").click()
        await guest.locator(".offer .land-price", has_text="5 crowns").wait_for()
        await guest.get_by_role("button", name="Choose a name").click()
        await guest.get_by_label("Your name").wait_for()


async def test_a_guest_at_an_auction_or_a_lease_is_led_to_choosing_a_name(
    visit: Visit, world: Served
) -> None:
    token = await rich(world, "Tessa")
    async with visit("/?flat", token=token) as owner, visit("/?flat") as guest:
        lot, room = await claim(owner, "Tessa Lot", [(44, 8)]), await claim(owner, "Tessa Room", [(46, 8)])
        offer = """([act, fields]) => app.world.trade.market(
          act, { key: crypto.getRandomValues(new Uint8Array(16)), ...fields })"""
        await owner.evaluate(
            offer, ["auction", {"estate": lot, "price": 500, "step": 100, "seconds": 86_400}]
        )
        lease = {"estate": room, "price": 100, "seconds": 86_400, "periods": 3}
        await owner.evaluate(offer, ["offer_lease", lease])
        for estate, price in ((lot, "5 crowns"), (room, "1 crown for 1 day")):
            await guest.evaluate(f"app.panels.open('land', {{ estate: {estate} }})")
            await guest.locator(".offer .land-price", has_text=price).wait_for()
            assert await guest.locator(".offer").get_by_role("button").all_inner_texts() == ["Choose a name"]
            await guest.get_by_role("button", name="Choose a name").click()
            await guest.get_by_label("Your name").wait_for()


@pytest.mark.parametrize(
    ("digits", "minted", "shown", "wrong", "such"),
    [(0, "1250", "1,250 pearls", "1.5", "12"), (3, "12.345", "12.345 pearls", "1.2345", "12.50")],
)
async def test_money_of_other_digits_is_written_and_read_as_the_world_has_it(
    visit: Visit,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    digits: int,
    minted: str,
    shown: str,
    wrong: str,
    such: str,
) -> None:
    import browsing

    # The operator's command reads the same settings.
    for name, value in (("NAME", "pearl"), ("PLURAL", "pearls"), ("DIGITS", str(digits))):
        monkeypatch.setenv(f"WORLDLOOM_MONEY__{name}", value)
    async with served(tmp_path / "data") as sea:
        token = await browsing.account(sea, "Nerissa")
        await browsing.account(sea, "Marina")
        await browsing.operator(sea, "money", "mint", minted, "--to", "Nerissa")
        async with visit("/?flat", port=sea.port, token=token) as page:
            await page.evaluate("app.panels.open('wallet')")
            await page.locator(".balance").get_by_text(shown, exact=True).wait_for()
            await page.locator("summary", has_text="Pay somebody").click()
            await page.get_by_label("To", exact=True).fill("Marina")
            await page.get_by_label("Amount").fill(wrong)
            await page.get_by_role("button", name="Pay", exact=True).click()
            await page.get_by_text(f"Expected an amount such as {such}, got").wait_for()
            await page.get_by_label("Amount").fill("1")
            await page.get_by_role("button", name="Pay", exact=True).click()
            dialog = page.get_by_role("dialog", name="Pay 1 pearl to Marina?")
            await dialog.get_by_text(f"You have {shown}.").wait_for()
            await dialog.get_by_role("button", name="Pay").click()
            await page.get_by_text("Marina has 1 pearl of you.").wait_for()


async def test_the_market_lights_the_button_of_land_which_closes_it(visit: Visit) -> None:
    async with visit("/?flat") as page:
        await page.evaluate("app.panels.open('market')")
        button = page.get_by_role("navigation").get_by_role("button", name="Land", expanded=True)
        await button.click()
        assert await page.evaluate("app.panels.current") == ""


async def test_parcels_are_chosen_by_keys(visit: Visit, world: Served) -> None:
    token = await rich(world, "Kim")
    async with visit("/?flat", token=token) as page:
        await page.evaluate("app.panels.open('land', { claim: { px: 4, pz: 4 } })")
        await page.locator('[data-parcel="0,0"]').focus()
        for key in ("ArrowRight", "Space", "Shift+ArrowDown"):
            await page.keyboard.press(key)
        chosen = "all => all.map((one) => one.dataset.parcel)"
        assert await page.eval_on_selector_all(".parcel[aria-selected=true]", chosen) == ["1,0", "1,1", "4,4"]
        await page.get_by_text("They have to hang together by their edges.").wait_for()


@pytest.mark.parametrize("size", ["phone", "zoomed"])
async def test_axe_finds_nothing_about_land(visit: Visit, world: Served, size: str) -> None:
    import browsing

    token = await rich(world, f"Axel {size}")
    async with visit("/?flat", token=token, **(PHONE if size == "phone" else ZOOMED)) as page:
        at = 20 if size == "phone" else 24
        estate = await claim(page, f"Axed {size}", [(at, 20)])
        offer = f"{{ key: crypto.getRandomValues(new Uint8Array(16)), estate: {estate}, price: 500 }}"
        await page.evaluate(f"app.world.trade.market('sell', {offer})")
        views = {
            f"'land', {{ estate: {estate} }}",
            "'land', { claim: { px: 1, pz: 1 } }",
            "'land', { tab: 'mine' }",
            "'market'",
            "'wallet'",
        }
        for view in views:
            await page.evaluate(f"app.panels.open({view})")
            await page.wait_for_timeout(900)
            await page.evaluate(
                "document.querySelectorAll('.panel details').forEach((one) => { one.open = true; })"
            )
            await page.wait_for_timeout(600)
            assert not await browsing.axe(page), view
            assert not await page.evaluate(OVER), view
