/** The market: what is for sale, auctioned and to let, with pictures of the land. */
import { fill, h } from "../app/dom.js";
import { field, form, tick } from "../ui/forms.js";
import { distance, duration } from "../ui/format.js";
import { coinsHere } from "./coins.js";
import { landOf } from "./data.js";
import { leftWords } from "./deal.js";
import { PARCEL_M } from "./parcels.js";
import { landPicture } from "./picture.js";
import { amount, choice, fold, shown, sizeWords, tabs } from "./tabs.js";

const PAGE = 12;
const NEAR_M = 1_500;
const MOST = 10 ** 15;

/** @param {import("../app/app.js").App} app @param {HTMLElement} root @returns {import("../app/panels.js").Opened} */
export function openMarket(app, root) {
  const results = h("div", { class: "market-results" });
  const kind = choice("What", [["", "For sale and auctioned"], ["sale", "For sale"], ["auction", "Auctioned"], ["let", "To let"]], "");
  const sort = choice("Order", [["newest", "newest first"], ["price", "cheapest first"], ["size", "largest first"], ["ends", "ends soonest"]], "newest");
  const text = h("input", { type: "search", maxLength: 64, autocomplete: "off", spellcheck: false });
  const [from, to] = [amount(), amount()];
  from.required = to.required = false;
  const size = h("input", { type: "number", min: "0", max: "65536" });
  const near = h("input", {});
  const wanted = async () => {
    const coins = coinsHere();
    const { x, z } = app.body?.pose ?? app.world.me;
    const isLet = kind.select.value === "let";
    return { act: isLet ? "to_let" : "page", fields: {
      kind: isLet ? "" : kind.select.value, sort: sort.select.value, text: text.value.trim(), limit: PAGE,
      price_from: from.value.trim() ? coins.read(from.value) : 0, price_to: to.value.trim() ? coins.read(to.value) : MOST,
      parcels_from: Number(size.value) || 0, near: near.checked ? [Math.round(x), Math.round(z), NEAR_M] : [],
    } };
  };
  const show = () => shown(results, wanted().then(({ act, fields }) => page(app, act, fields)));
  for (const one of [kind.select, sort.select, near]) one.addEventListener("change", show);
  const more = fold("More to choose by", field("Name", text), h("div", { class: "market-range" }, field("Price from", from), field("Price to", to)),
    field("Parcels at least", size));
  more.open = matchMedia("(min-width: 761px)").matches;
  fill(root, tabs(app, "Market"), h("div", { class: "market" }, form({ button: "Show", kind: "", run: show },
    h("div", { class: "market-filters" }, kind.element, sort.element), tick(`Within ${distance(NEAR_M)}`, near), more), results));
  void show();
  return { close: landOf(app).on("stale", show) };
}

/** @param {import("../app/app.js").App} app @param {string} act @param {Record<string, any>} fields */
async function page(app, act, fields) {
  const { trade } = app.world;
  const coins = coinsHere();
  const list = h("ul", { class: "market-list" });
  const add = (/** @type {any[]} */ offers) => list.append(...offers.map((offer) => card(app, coins, offer)));
  let { offers, next } = await trade.market(act, fields);
  if (!offers.length) return h("p", {}, "Nothing like that is offered now.");
  add(offers);
  const more = h("button", { type: "button", hidden: !next, on: { click: async () => {
    const found = await app.attempt(trade.market(act, { ...fields, after: next }));
    if (!found) return;
    ({ offers, next } = found);
    add(offers);
    more.hidden = !next;
  } } }, "More");
  return [list, more];
}

/** @param {import("../app/app.js").App} app @param {import("./coins.js").Coins} coins @param {any} offer either kind */
function card(app, coins, offer) {
  const picture = h("div", { class: "market-picture" });
  void app.world.trade.estate("show", { estate: offer.estate }).then((estate) => fill(picture, landPicture(app, estate, offer.listing ? offer.kind : "let", { width: 300, height: 150 })), () => {});
  const { x, z } = app.body?.pose ?? app.world.me;
  const away = distance(Math.hypot((offer.px + 0.5) * PARCEL_M - x, (offer.pz + 0.5) * PARCEL_M - z));
  const name = offer.name || `Estate ${offer.estate}`;
  const open = () => app.panels.open("land", { estate: offer.estate });
  const isAuction = offer.kind === "auction";
  const [price, what, act] = offer.listing
    ? [coins.write(offer.asked), isAuction ? (offer.top ? `next bid · ${leftWords(offer.ends_ms)}` : `least bid · ${leftWords(offer.ends_ms)}`)
      : offer.ends_ms ? leftWords(offer.ends_ms) : "", isAuction ? "Bid" : "Buy"]
    : [coins.write(offer.rent), `for ${duration(offer.period_s * 1000)}, ${offer.max_periods} times at most`, "Lease"];
  const { account } = landOf(app);
  const isMine = account !== 0 && (offer.seller ?? offer.owner) === account;
  const verb = isMine ? "Open" : act;
  return h("li", { class: "market-card" }, picture, h("div", { class: "market-words" },
    h("h3", {}, name, h("span", { class: "badge" }, isAuction ? "auction" : offer.listing ? "for sale" : "to let")),
    h("p", { class: "land-price" }, price, what && h("small", {}, ` ${what}`)),
    h("p", { class: "soft" }, `${sizeWords(offer.parcels)} · ${away} away · ${isMine ? "yours" : `of ${offer.seller_name ?? offer.owner_name}`}`),
    h("div", { class: "row" }, h("button", { type: "button", class: isMine ? "" : "main", "aria-label": `${verb}: ${name}`, on: { click: open } }, `${verb} …`),
      h("button", { type: "button", "aria-label": `Show ${name} on the map`,
        on: { click: () => app.panels.open("map", { x: (offer.px + 0.5) * PARCEL_M, z: (offer.pz + 0.5) * PARCEL_M }) } }, "On the map"))));
}
