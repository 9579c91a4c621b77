/** What the colours and patterns of the land layer mean, with its switch. */
import { h } from "../app/dom.js";
import { MINE, colourOf } from "../land/colours.js";
import { tick } from "../ui/forms.js";
import { PAPER } from "./chart.js";
import { drawMark } from "./estates.js";

/** Under the patterns: no owner's colour. */
const ANYBODYS = "#75808a";

/** @type {[import("../land/data.js").Mark, string][]} */
const MARKS = [["sale", "for sale"], ["auction", "auctioned"], ["let", "to let"], ["leased", "leased"]];

/** @param {import("../app/app.js").App} app @returns {HTMLElement} */
export function legend({ settings }) {
  const box = h("input", { checked: settings.get("landOnMap"), on: { change: () => {
    settings.set("landOnMap", box.checked);
    list.hidden = !box.checked;
  } } });
  const list = h("ul", { class: "map-legend-list", hidden: !box.checked },
    h("li", {}, swatch("", MINE), "yours"),
    h("li", {}, swatch("", ...[0, 3, 4].map((owner) => colourOf({ owner }, false))), "a colour for each owner"),
    MARKS.map(([mark, words]) => h("li", {}, swatch(mark, ANYBODYS), words)),
    h("li", {}, h("span", { class: "map-open-zone" }), "to claim"), h("li", {}, swatch("", PAPER), "not seen yet"));
  return h("div", { class: "map-legend" }, tick("Who owns what", box), list);
}

/** @param {import("../land/data.js").Mark} mark @param {string[]} colours side by side @returns {HTMLCanvasElement} */
function swatch(mark, ...colours) {
  const canvas = h("canvas", { width: 24, height: 14, "aria-hidden": "true" });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  for (const [i, colour] of colours.entries()) {
    context.fillStyle = colour;
    context.fillRect((24 / colours.length) * i, 0, 24 / colours.length, 14);
  }
  if (mark) {
    for (const left of [0, 12]) {
      context.setTransform(1, 0, 0, 1, left, 1);
      context.save();
      context.beginPath();
      context.rect(0, -1, 12, 14);
      context.clip();
      drawMark(context, mark);
      context.restore();
    }
  }
  return canvas;
}
