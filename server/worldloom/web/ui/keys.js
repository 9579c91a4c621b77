/** Which key does what. */
import { h } from "../app/dom.js";

/** @type {[keys: string[], what: string][]} */
const WALKING = [
  [["W", "A", "S", "D"], "walk, as with the arrow keys"], [["Shift"], "run"], [["Space"], "jump"], [["X"], "sit down"],
  [["Q", "E"], "turn"], [["V"], "see through your own eyes, or from behind"], [["1", "…", "8"], "wave, dance and so on"],
];
/** @type {[keys: string[], what: string][]} */
const LOOKING = [[["L"], "borders of land, and whose it is"]];
/** @type {[keys: string[], what: string][]} */
const TALKING = [
  [["Enter"], "chat"], [["Esc"], "back to the world, or close what is open"], [["Tab"], "to the next button"],
];

/** @param {import("../app/panels.js").Panels} panels that have keys, too @returns {HTMLElement} */
export function keyList(panels) {
  const opening = /** @type {[string[], string][]} */ (panels.keyed.map(({ key, title }) => [[key.toUpperCase()], title]));
  return h("dl", { class: "keys" }, [...WALKING, ...LOOKING, ...TALKING, ...opening].map(([keys, what]) => h("div", {},
    h("dt", {}, keys.map((key) => h("kbd", {}, key))), h("dd", {}, what))));
}
