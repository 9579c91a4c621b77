/** Claiming land from the world: which parcels, for how much, under what name. */
import { newKey } from "worldloom/dealer.js";
import { REGION_M } from "worldloom/tiles.js";
import { fill, h } from "../app/dom.js";
import { field, form, wordsOf } from "../ui/forms.js";
import { money } from "../ui/money.js";
import { purseWords } from "./coins.js";
import { landOf, regionAt } from "./data.js";
import { parcelGrid } from "./grid.js";
import { PARCELS, hangTogether, runsOf } from "./parcels.js";
import { sizeWords } from "./tabs.js";

const ASK_MS = 350;
const WHOLE = PARCELS * PARCELS;
/** @type {[string, string, number, number][]} */
const WINDS = [["north", "▲", 0, -1], ["west", "◀", -1, 0], ["east", "▶", 1, 0], ["south", "▼", 0, 1]];

/**
 * @param {import("../app/app.js").App} app
 * @param {HTMLElement} root
 * @param {{ px: number, pz: number }} from a parcel that is chosen at first, if it can be
 * @returns {import("../app/panels.js").Opened}
 */
export function openClaim(app, root, from) {
  const land = landOf(app);
  const { trade } = app.world;
  const chosen = /** @type {Set<string>} */ (new Set());
  let region = /** @type {[number, number]} */ ([Math.floor(from.px / PARCELS), Math.floor(from.pz / PARCELS)]);
  let price = /** @type {number | null} */ (null);
  /** Counts questions: an answer to an earlier one is not shown. */
  let asking = 0;
  let typing = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  const place = h("div", {});
  const where = h("p", { class: "soft" });
  const sum = h("p", { class: "land-sum grow", role: "status" });
  const title = h("input", { maxLength: 64, autocomplete: "off" });
  const words = h("textarea", { rows: 2, maxLength: 500 });
  const wordsField = field("What the land is to be like, in your words", words, "Nobody has seen this region yet: it is woven so. Leave it empty to be surprised.");
  const parcels = () => [...chosen].map((key) => key.split(",").map(Number)).map(([px, pz]) => ({ px, pz }));
  const unseen = () => app.world.land.regions.get(region.join()) === undefined;

  const ask = async () => {
    const runs = runsOf(parcels());
    const question = ++asking;
    wordsField.hidden = chosen.size !== WHOLE || !unseen();
    price = null;
    if (!runs.length) return fill(sum, "Choose parcels: click, or draw over several.");
    if (!hangTogether(parcels())) return fill(sum, h("span", { class: "bad" }, "They have to hang together by their edges."));
    try {
      const [purse, told] = await Promise.all([purseWords(app, true), trade.estate("price", { parcels: runs })]);
      if (question !== asking) return;
      price = told;
      fill(sum, `${sizeWords(chosen.size)}: `, h("b", {}, told ? money(told) : "for nothing"), ". ", h("small", {}, purse));
    } catch (error) {
      if (question === asking) fill(sum, h("span", { class: "bad" }, wordsOf(error)));
    }
  };
  const changed = () => {
    clearTimeout(typing);
    asking++;
    price = null;
    fill(sum, chosen.size ? `${sizeWords(chosen.size)} …` : "");
    typing = setTimeout(ask, ASK_MS);
  };
  const may = (/** @type {number} */ px, /** @type {number} */ pz) => !land.owned(px, pz);
  const show = () => {
    land.want(...region);
    fill(where, `The region ${regionWords(app, region)}: 16 x 16 parcels of 16 m. Coloured ones are somebody's.`);
    fill(place, h("div", { class: "parcel-winds" }, WINDS.map(([wind, arrow, dx, dz]) => h("button", {
      type: "button", "aria-label": `The region to the ${wind}`, title: `The region to the ${wind}`, class: `wind-${wind}`, on: { click: () => {
        region = [region[0] + dx, region[1] + dz];
        chosen.clear();
        changed();
        show();
      } } }, arrow)), parcelGrid(app, { region, chosen, may, changed })));
  };
  const all = h("button", { type: "button", on: { click: () => {
    for (let z = 0; z < PARCELS; z++) for (let x = 0; x < PARCELS; x++) {
      const [px, pz] = [region[0] * PARCELS + x, region[1] * PARCELS + z];
      if (may(px, pz)) chosen.add(`${px},${pz}`);
    }
    changed();
    show();
  } } }, "The whole region");
  const none = h("button", { type: "button", on: { click: () => {
    chosen.clear();
    changed();
    show();
  } } }, "None");
  if (may(from.px, from.pz)) chosen.add(`${from.px},${from.pz}`);
  const claiming = form({ button: "Claim this land", beside: sum, run: async () => {
    if (price === null) await ask();
    if (price === null) throw new RangeError("choose land that can be claimed first");
    const text = !wordsField.hidden && words.value.trim() ? words.value.trim() : null;
    const estate = await trade.estate("claim", { key: newKey(), parcels: runsOf(parcels()), price, title: title.value.trim(), text });
    land.stale();
    app.toasts.tell(`${estate.name || `Estate ${estate.estate}`} is yours.`, { kind: "good" });
    app.panels.open("land", { estate: estate.estate });
  } }, field("Name of the estate", title), where, place, h("div", { class: "row" }, all, none),
  h("p", { class: "soft of-keys" }, "Keys: arrows, space, shift to draw."), wordsField);
  claiming.classList.add("claim");
  fill(root, h("button", { type: "button", class: "plain back", on: { click: () => app.panels.open("land") } }, "‹ Back"), claiming);
  show();
  void ask();
  const off = land.on("changed", () => {
    for (const key of chosen) if (!may(.../** @type {[number, number]} */ (key.split(",").map(Number)))) chosen.delete(key);
    // Whoever goes over the grid by keys is not thrown off it.
    if (!place.contains(document.activeElement)) show();
  });
  return { title: "Claim land", close: () => {
    clearTimeout(typing);
    off();
  } };
}

/** @param {import("../app/app.js").App} app @param {[number, number]} region @returns {string} */
function regionWords(app, [rx, rz]) {
  const { x, z } = app.body?.pose ?? app.world.me;
  const [hereX, hereZ] = regionAt(x, z);
  return rx === hereX && rz === hereZ ? "around you" : `around ${(rx + 0.5) * REGION_M}, ${(rz + 0.5) * REGION_M}`;
}
