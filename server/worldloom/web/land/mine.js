/** What is yours: estates, what you offer, where you bid, and what you have leased. */
import { Role } from "worldloom";
import { fill, h } from "../app/dom.js";
import { when } from "../ui/format.js";
import { coinsHere } from "./coins.js";
import { guestNote, shown, sizeWords, tabs } from "./tabs.js";
import { landOf } from "./data.js";

/** @param {import("../app/app.js").App} app @param {HTMLElement} root @returns {import("../app/panels.js").Opened} */
export function openMine(app, root) {
  const place = h("div", {}, h("p", { class: "soft" }, "…"));
  fill(root, tabs(app, "Mine"), place);
  if (app.world.role === Role.GUEST) {
    fill(place, guestNote(app));
    return {};
  }
  const show = () => void shown(place, all(app));
  show();
  return { close: landOf(app).on("stale", show) };
}

/** @param {import("../app/app.js").App} app */
async function all(app) {
  const { trade } = app.world;
  const coins = coinsHere();
  const [holdings, trades] = await Promise.all([trade.estate("holdings"), trade.market("trades")]);
  const leased = await Promise.all(trades.leases.map(async (/** @type {any} */ lease) => ({ ...(await trade.estate("show", { estate: lease.estate })), lease })));
  const list = h("ul", { class: "people-list" });
  const offered = new Map(trades.offers.map((/** @type {any} */ one) => [one.estate, one]));
  const add = (/** @type {any[]} */ estates) => list.append(...estates.map((estate) => row(app, estate, badgeOf(offered.get(estate.estate)))));
  add(holdings.estates);
  const more = h("button", { type: "button", hidden: !holdings.more, on: { click: async () => {
    const next = await app.attempt(trade.estate("holdings", { before: holdings.estates[holdings.estates.length - 1].estate }));
    if (!next) return;
    Object.assign(holdings, { estates: next.estates, more: next.more });
    add(next.estates);
    more.hidden = !next.more;
  } } }, "More");
  return [
    h("h3", {}, holdings.parcels ? `Your land: ${sizeWords(holdings.parcels)}` : "You have no land yet"),
    !holdings.parcels && h("p", {}, "Walk to land that is open for claiming, or look at the market."), list, more,
    section("You are ahead in auctions", trades.bids.map(
      (/** @type {any} */ offer) => row(app, offer, `${coins.write(offer.top_bid)}, until ${when(offer.ends_ms)}`))),
    section("You have leased", leased.map((estate) => row(app, estate, `until ${when(estate.lease.until_ms)}`))),
  ];
}

/** @param {any} offer @returns {string} */
function badgeOf(offer) {
  return offer ? (offer.kind === "auction" ? "auction" : "for sale") : "";
}

/** @param {string} title @param {HTMLElement[]} rows */
function section(title, rows) {
  return rows.length > 0 && [h("h3", {}, title), h("ul", { class: "people-list" }, rows)];
}

/** @param {import("../app/app.js").App} app @param {any} estate @param {string} words @returns {HTMLElement} */
function row(app, { estate, name, parcels }, words) {
  return h("li", {}, h("button", { type: "button", class: "person", on: { click: () => app.panels.open("land", { estate }) } },
    h("span", { class: "who" }, name || `Estate ${estate}`, words && h("span", { class: "badge" }, words)),
    parcels && h("small", {}, `${parcels} ${parcels === 1 ? "parcel" : "parcels"}`)));
}
