/** Gestures by a button, for whoever has no digit keys. */
import { h, icon } from "../app/dom.js";
import { EMOTES } from "../people/gestures.js";

const WAVE = "M8 13V6.5a1.5 1.5 0 0 1 3 0V11M11 10V4.5a1.5 1.5 0 0 1 3 0V11M14 10.5V6a1.5 1.5 0 0 1 3 0v8a6 6 0 0 1-6 6c-3 0-4.5-1.5-6-4.5l-1-2.5c.8-1.2 2-1 2.7 0L8 15";

/**
 * @param {import("../app/app.js").App} app
 * @returns {{ opener: HTMLElement, row: HTMLElement }} a button, and what it opens
 */
export function emotes(app) {
  const row = h("div", { class: "emotes", id: "emotes", hidden: true, role: "group", "aria-label": "Gestures" },
    EMOTES.map(([gesture, title]) => h("button", { type: "button", on: { click: () => {
      app.body.gesture(gesture);
      show(false);
    } } }, title)));
  const opener = h("button", { type: "button", class: "plain", "aria-label": "Gestures", "aria-controls": "emotes",
    "aria-expanded": "false", on: { click: () => show(row.hidden === true) } }, icon(WAVE));
  const show = (/** @type {boolean} */ open) => {
    row.hidden = !open;
    opener.setAttribute("aria-expanded", String(open));
  };
  return { opener, row };
}
