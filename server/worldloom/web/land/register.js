/** The register of an estate, in words: every change of title since it began. */
import { h } from "../app/dom.js";
import { when } from "../ui/format.js";
import { askedFold } from "./tabs.js";

const PAGE = 100;

/** @param {import("../app/app.js").App} app @param {number} estate @param {import("./coins.js").Coins} coins @returns {HTMLElement} */
export function registerFold(app, estate, coins) {
  return askedFold("The register", async () => {
    const { trade } = app.world;
    const list = h("ol", { class: "plain-list register" });
    const add = (/** @type {any[]} */ entries) => list.append(...entries.map((entry) => entryShown(entry, coins)));
    let entries = await trade.estate("history", { estate });
    add(entries);
    const more = h("button", { type: "button", hidden: entries.length < PAGE, on: { click: async () => {
      const next = await app.attempt(trade.estate("history", { estate, before: entries[entries.length - 1].number }));
      if (!next) return;
      entries = next;
      add(entries);
      more.hidden = entries.length < PAGE;
    } } }, "Earlier");
    return [list, more];
  });
}

/** @param {any} entry @param {import("./coins.js").Coins} coins @returns {HTMLElement} */
function entryShown(entry, coins) {
  const { at_ms: at, number, seal, hash } = entry;
  return h("li", { class: "boxed" }, h("p", {}, registerWords(entry, coins)),
    h("small", { title: hash ? `Seal ${seal}: ${hash}` : "Not sealed yet" },
      [when(at), `entry ${number}`, hash && `sealed ${hash.slice(0, 8)}`].filter(Boolean).join(" · ")));
}

/** @param {any} entry @param {import("./coins.js").Coins} coins @returns {string} */
export function registerWords({ kind, name, other_name: other, detail }, coins) {
  const { price, until_ms: until, reason, parcels } = detailOf(detail);
  const count = Array.isArray(parcels) ? parcels.reduce((sum, run) => sum + (run[2] ?? 0), 0) : 0;
  const cost = typeof price === "number" ? ` for ${coins.write(price)}` : "";
  const land = count === 1 ? "a parcel" : `${count || "its"} parcels`;
  const who = name || "Somebody";
  switch (kind) {
    case "claim": return `${who} claimed ${land}.`;
    case "split": return count ? `${who} split off ${land}.` : `${who} split it off another estate.`;
    case "join": return count ? `${who} joined ${land} to it.` : `${who} made it a part of another estate.`;
    case "give": return `${other || "Somebody"} gave it to ${who}.`;
    case "abandon": return `${other || who} gave it back to the world.`;
    case "take": return `The operator took it back${reason ? `: ${reason}` : ""}.`;
    case "sale": return `${who} bought it of ${other || "somebody"}${cost}.`;
    case "auction": return `${who} won it at auction of ${other || "somebody"}${cost}.`;
    case "list": return `${who} offered it${cost}.`;
    case "withdraw": return `${who} withdrew the offer.`;
    case "over": return "An offer ended without a buyer.";
    case "lease": return `${who} leased it of ${other || "its owner"}${until ? ` until ${when(until)}` : ""}.`;
    case "renew": return `${who} renewed the lease${until ? ` until ${when(until)}` : ""}.`;
    default: return `${who}: ${kind}`;
  }
}

/** @param {string} detail @returns {Record<string, any>} */
function detailOf(detail) {
  try {
    return JSON.parse(detail) ?? {};
  } catch {
    return {};
  }
}
