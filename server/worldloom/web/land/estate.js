/** An estate's page: what it is, what is offered of it, and what its owner does with it. */
import { RefusedError, Verb } from "worldloom";
import { fill, h } from "../app/dom.js";
import { when } from "../ui/format.js";
import { lead } from "../ui/walk.js";
import { coinsHere, purseWords } from "./coins.js";
import { landOf } from "./data.js";
import { leaseBox, offerBox, tenancy } from "./deal.js";
import { describeForm, letForm, partForms, sellForms, shapeForms } from "./offering.js";
import { extentOf } from "./parcels.js";
import { landPicture } from "./picture.js";
import { registerFold } from "./register.js";
import { rightsFold } from "./rights.js";
import { shown, sizeWords } from "./tabs.js";
import { verbWords } from "./verbs.js";

/** @param {import("../app/app.js").App} app @param {HTMLElement} root @param {number} number @returns {import("../app/panels.js").Opened} */
export function openEstate(app, root, number) {
  const place = h("div", {}, h("p", { class: "soft" }, "…"));
  fill(root, h("button", { type: "button", class: "plain back", on: { click: () => app.panels.open("land") } }, "‹ Back"), place);
  const show = () => void shown(place, page(app, number));
  show();
  // Nobody's words are taken away while they are written.
  const writes = () => place.contains(document.activeElement) && document.activeElement?.matches("input, textarea, select");
  return { title: "Estate", close: landOf(app).on("stale", ({ own }) => { if (own || !writes()) show(); }) };
}

/** @param {import("../app/app.js").App} app @param {number} number */
async function page(app, number) {
  const { trade } = app.world;
  const land = landOf(app);
  const coins = coinsHere();
  const [estate, sale, terms, rights, purse] = await Promise.all([
    trade.estate("show", { estate: number }), orNone(trade.market("show", { estate: number })), trade.market("terms", { estate: number }),
    trade.estate("rights", { estate: number }), purseWords(app),
  ]);
  const lease = terms.lease ?? estate.lease;
  const mine = land.isMine(estate);
  const offer = sale?.offer;
  return [
    h("h3", { class: "land-name" }, estate.name || `Estate ${number}`), landPicture(app, estate, offer ? offer.kind : lease ? "leased" : terms.offer ? "let" : ""),
    estate.description && h("p", { class: "quote" }, estate.description),
    h("p", {}, mine ? h("b", {}, "Yours") : ["Of ", h("b", {}, estate.owner_name || "somebody who is gone")], ` · ${sizeWords(estate.parcels)}`),
    h("p", { class: "soft" }, `Number ${number}, since ${when(estate.created_ms)}.`,
      mine && estate.locked_until_ms > Date.now() && ` It was bought with granted money: it cannot be sold or given away before ${when(estate.locked_until_ms)}.`),
    ways(app, estate), offer && offerBox(app, coins, offer, purse), terms.offer && !lease && leaseBox(app, coins, terms.offer, purse), lease && tenancy(app, coins, lease),
    !mine && h("p", {}, `You may ${verbWords(rights.own)}.`),
    (mine || rights.own & Verb.SELL) && !offer ? sellForms(app, estate, coins) : null,
    (mine || rights.own & Verb.LEASE) && !terms.offer ? letForm(app, estate, coins) : null,
    mine && lease && terms.offer ? leaseBox(app, coins, terms.offer, purse) : null,
    rights.own & Verb.MANAGE ? rightsFold(app, number) : null,
    mine && [describeForm(app, estate), shapeForms(app, estate), partForms(app, estate)],
    registerFold(app, number, coins),
  ];
}

/** @param {import("../app/app.js").App} app @param {import("./data.js").Estate} estate */
function ways(app, estate) {
  const { x, z } = estate.landing ? { x: estate.landing.x / 64, z: estate.landing.z / 64 } : extentOf(estate.runs);
  return h("div", { class: "acts" },
    h("button", { type: "button", on: { click: () => app.panels.open("map", { x, z }) } }, "Show on the map"),
    h("button", { type: "button", on: { click: () => {
      app.panels.close();
      void lead(app, { to: estate.name || `Estate ${estate.estate}`, x, z });
    } } }, "Walk there"));
}

/** @template T @param {Promise<T>} asked @returns {Promise<T | null>} null: there is none */
function orNone(asked) {
  return asked.catch((error) => {
    if (error instanceof RefusedError && ["not_found", "not_for_sale", "sold"].includes(error.code)) return null;
    throw error;
  });
}
