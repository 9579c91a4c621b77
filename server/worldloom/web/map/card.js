/** What is at a point of the map, and what can be done there. */
import { fill, h } from "../app/dom.js";
import { parcelAt } from "../land/parcels.js";
import { regionAt } from "../land/data.js";
import { distance } from "../ui/format.js";
import { money } from "../ui/money.js";
import { lead } from "../ui/walk.js";
import { offerWords } from "./estates.js";

const SURFACES = ["seabed", "sand", "pebbles", "grass", "meadow", "heath", "forest", "rock", "scree", "snow", "marsh"];

/**
 * @param {import("../app/app.js").App} app
 * @param {import("../land/data.js").LandData} land
 * @param {{ x: number, z: number, who?: import("./search.js").Who }} at metres; with somebody who is about there
 * @param {() => void} close
 * @returns {HTMLElement}
 */
export function placeCard(app, land, { x, z, who }, close) {
  const { px, pz } = parcelAt(x, z);
  const whose = h("p", { class: "map-whose" }, "…");
  const acts = h("div", { class: "row" });
  const spot = `${Math.round(x)}, ${Math.round(z)}`;
  const title = h("h3", { tabIndex: -1 }, who?.name || spot);
  // Unless it is the title.
  const at = h("span", { hidden: !who?.name }, `${spot} · `);
  const { x: fromX, z: fromZ } = app.body?.pose ?? app.world.me;
  const link = `${location.origin}/@${Math.round(x)},${Math.round(z)}`;
  const walk = h("button", { type: "button", class: "main", on: { click: () => {
    app.panels.close();
    void lead(app, { to: title.textContent || spot, x, z, avatar: who?.avatar });
  } } }, who ? `Walk to ${who.name}` : "Walk there");
  const copy = h("button", { type: "button", on: { click: () => copied(app, link) } }, "Copy link");
  const whisper = who && h("button", { type: "button", on: { click: () => {
    app.panels.close();
    app.chat?.whisper(who.avatar, who.name);
  } } }, "Whisper");
  fill(acts, walk, whisper, copy);
  void told(app, land, px, pz).then((told) => {
    fill(whose, told.words);
    if (told.estate && !who) {
      fill(title, told.estate.name || `Estate ${told.estate.estate}`);
      at.hidden = false;
    }
    if (!app.panels.has("land")) return;
    if (told.estate) {
      acts.append(h("button", { type: "button", on: { click: () => app.panels.open("land", { estate: told.estate?.estate }) } }, "Open estate"));
    } else if (told.price !== null) {
      acts.append(h("button", { type: "button", on: { click: () => app.panels.open("land", { claim: { px, pz } }) } }, "Claim land here"));
    }
  }, (error) => fill(whose, error.message));
  return h("section", { class: "map-card", "aria-label": "This place", on: { keydown: (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  } } },
  h("header", { class: "row" }, title, h("button", { type: "button", class: "plain", "aria-label": "Close this card", on: { click: close } }, "✕")),
  who && h("p", {}, app.people?.get(who.avatar) ? "Here." : "About here."),
  whose, h("p", { class: "soft" }, [groundWords(app, x, z), `${distance(Math.hypot(x - fromX, z - fromZ))} from you`].filter(Boolean).join(" · ")),
  h("p", { class: "soft" }, at, `region ${regionAt(x, z).join(", ")}`), acts);
}

/** @param {import("../app/app.js").App} app @param {number} x @param {number} z @returns {string} */
function groundWords(app, x, z) {
  const tile = app.tiles.tile(...regionAt(x, z));
  if (!tile) return "";
  const height = tile.ground(x, z);
  return height < 0 ? `water, ${(-height).toFixed(1)} m deep` : `${SURFACES[tile.surfaceAt(x, z)]}, ${height.toFixed(1)} m high`;
}

/**
 * @param {import("../app/app.js").App} app
 * @param {import("../land/data.js").LandData} land
 * @param {number} px
 * @param {number} pz
 * @returns {Promise<{ words: string, estate?: import("../land/data.js").Estate, price: number | null }>}
 */
async function told(app, land, px, pz) {
  const parcel = await app.world.trade.estate("parcel", { parcels: [{ px, pz, n: 1 }] });
  if (!parcel.estate) {
    const words = parcel.price === null ? "Nobody's land; not open for claiming." : parcel.price
      ? `Nobody's land. It can be claimed for ${money(parcel.price)} a parcel.` : "Nobody's land. It can be claimed for nothing.";
    return { words, price: parcel.price };
  }
  const estate = land.estates.get(parcel.estate) ?? parcel;
  const offer = offerWords(estate, land, money);
  const owner = land.isMine(parcel) ? "Yours" : `Of ${parcel.owner_name || "somebody who is gone"}`;
  return { words: `${owner}${offer ? `; ${offer}` : ""}.`, estate: { ...estate, name: parcel.name }, price: null };
}

/** @param {import("../app/app.js").App} app @param {string} link */
async function copied(app, link) {
  try {
    await navigator.clipboard.writeText(link);
    app.toasts.tell("The link is copied.", { kind: "good" });
  } catch {
    app.toasts.tell(`The link to this place: ${link}`, { seconds: 15 });
  }
}
