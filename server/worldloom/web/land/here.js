/** Where you stand: whose land it is, what you may do there, and what is offered near by. */
import { Role } from "worldloom";
import { fill, h } from "../app/dom.js";
import { tick } from "../ui/forms.js";
import { distance } from "../ui/format.js";
import { money } from "../ui/money.js";
import { landOf } from "./data.js";
import { PARCEL_M, parcelAt } from "./parcels.js";
import { guestNote, shown, tabs } from "./tabs.js";
import { verbWords } from "./verbs.js";

const LOOK_MS = 1_000;
const MOST_NEAR = 5;

/** @param {import("../app/app.js").App} app @param {HTMLElement} root @returns {import("../app/panels.js").Opened} */
export function openHere(app, root) {
  const land = landOf(app);
  const here = h("div", { class: "land-here" }, h("p", { class: "soft" }, "…"));
  const near = h("div", {});
  let at = "";
  const look = () => {
    const { x, z } = app.body?.pose ?? app.world.me;
    const { px, pz } = parcelAt(x, z);
    land.wantOffers(x, z);
    if (at === `${px},${pz}`) return;
    at = `${px},${pz}`;
    void shown(here, parcelShown(app, px, pz));
  };
  const again = () => {
    at = "";
    look();
  };
  const offers = () => fill(near, offersNear(app));
  const box = h("input", { checked: app.settings.get("landLayer"), on: { change: () => app.settings.set("landLayer", box.checked) } });
  fill(root, tabs(app, "Here"), here, near, app.stage && bordersTick(box));
  look();
  offers();
  const timer = setInterval(look, LOOK_MS);
  const offs = [land.on("changed", offers), land.on("stale", again)];
  return { close: () => {
    clearInterval(timer);
    for (const off of offs) off();
  } };
}

/** @param {HTMLInputElement} box @returns {HTMLElement} */
function bordersTick(box) {
  const ticked = tick("Show borders in the world", box);
  ticked.querySelector("label")?.append(h("span", { class: "of-keys" }, " (L)"));
  return ticked;
}

/** @param {import("../app/app.js").App} app @param {number} px @param {number} pz */
async function parcelShown(app, px, pz) {
  const { trade, role } = app.world;
  const parcel = await trade.estate("parcel", { parcels: [{ px, pz, n: 1 }] });
  const place = h("p", { class: "soft" }, `You stand on parcel ${px}, ${pz}: 16 m x 16 m.`);
  if (!parcel.estate) {
    const free = parcel.price === null ? h("p", {}, "It is nobody's, and not open for claiming.")
      : h("p", {}, parcel.price ? `It is nobody's: you can claim it for ${money(parcel.price)}.` : "It is nobody's: you can claim it for nothing.");
    return [h("h3", {}, "Nobody's land"), free, place, parcel.price !== null && (role === Role.GUEST ? guestNote(app)
      : h("div", { class: "row" }, opener(app, "Claim land here", { claim: { px, pz } })))];
  }
  const { own } = await trade.estate("rights", { estate: parcel.estate });
  const mine = landOf(app).isMine(parcel);
  return [h("h3", {}, parcel.name || `Estate ${parcel.estate}`),
    h("p", {}, mine ? "This land is yours." : `Of ${parcel.owner_name || "somebody who is gone"}.`),
    !mine && h("p", {}, `You may ${verbWords(own)}.`), place,
    h("div", { class: "row" }, opener(app, "Open this estate", { estate: parcel.estate }))];
}

/** @param {import("../app/app.js").App} app @param {string} title @param {object} about */
function opener(app, title, about) {
  return h("button", { type: "button", class: "main", on: { click: () => app.panels.open("land", about) } }, title);
}

/** @param {import("../app/app.js").App} app */
function offersNear(app) {
  const land = landOf(app);
  const { x, z } = app.body?.pose ?? app.world.me;
  const away = (/** @type {any} */ { px, pz }) => Math.hypot((px + 0.5) * PARCEL_M - x, (pz + 0.5) * PARCEL_M - z);
  const all = [...land.offers.values(), ...land.lets.values()].sort((a, b) => away(a) - away(b)).slice(0, MOST_NEAR);
  if (!all.length) return [];
  return [h("h3", {}, "Offered near here"), h("ul", { class: "people-list" }, all.map((offer) => h("li", {}, h("button", {
    type: "button", class: "person", on: { click: () => app.panels.open("land", { estate: offer.estate }) } },
  h("span", { class: "who" }, offer.name || `Estate ${offer.estate}`,
    h("span", { class: "badge" }, offer.kind === "auction" ? "auction" : offer.listing ? "for sale" : "to let")),
  h("small", {}, distance(away(offer)))))))];
}
