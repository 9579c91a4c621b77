/** What the panels about land share: the row that leads from one to another, and small parts of forms. */
import { fill, h } from "../app/dom.js";
import { keepForm } from "../ui/account.js";
import { field, wordsOf } from "../ui/forms.js";

/** @type {[string, string, object?][]} title, panel, about */
const TABS = [["Here", "land"], ["Mine", "land", { tab: "mine" }], ["Market", "market"], ["Wallet", "wallet"]];
const HOUR = 3_600;
const DAY = 24 * HOUR;
/** Seconds. @type {[number, string][]} */
export const ENDS = [[HOUR, "an hour"], [6 * HOUR, "6 hours"], [DAY, "a day"], [3 * DAY, "3 days"],
  [7 * DAY, "a week"], [30 * DAY, "30 days"], [90 * DAY, "90 days"]];

/** @param {import("../app/app.js").App} app @param {string} current title of a tab @returns {HTMLElement} */
export function tabs(app, current) {
  return h("nav", { class: "tabs land-tabs", "aria-label": "Land and money" }, TABS.map(([title, panel, about]) => h("button", {
    type: "button", "aria-pressed": String(title === current), on: { click: () => app.panels.open(panel, about) } }, title)));
}

/** @param {import("../app/app.js").App} app @returns {HTMLElement[]} for guests, who own nothing */
export function guestNote(app) {
  return [h("p", {}, "You are a guest. Land and money belong to accounts: with a name of your own you can have both."), keepForm(app)];
}

/** Counts what was asked for in each place: an answer that comes too late is not shown. @type {WeakMap<HTMLElement, number>} */
const turns = new WeakMap();

/**
 * What was unfolded stays so, and the keyboard stays where it was, as far as that is there again.
 *
 * @param {HTMLElement} place
 * @param {Promise<any>} doing what is shown there afterwards
 * @returns {Promise<void>}
 */
export async function shown(place, doing) {
  const turn = (turns.get(place) ?? 0) + 1;
  turns.set(place, turn);
  const children = await doing.catch((error) => h("p", { class: "said bad" }, wordsOf(error)));
  if (turns.get(place) !== turn) return;
  const open = [...place.querySelectorAll("details[open] > summary")].map(({ textContent }) => textContent);
  const focused = place.contains(document.activeElement) ? document.activeElement?.textContent : undefined;
  fill(place, children);
  for (const summary of place.querySelectorAll("summary")) {
    if (open.includes(summary.textContent)) /** @type {HTMLDetailsElement} */ (summary.parentElement).open = true;
  }
  if (focused === undefined) return;
  const again = [...place.querySelectorAll("button, summary")].find(({ textContent }) => textContent === focused);
  /** @type {HTMLElement | null | undefined} */ (again ?? place.closest(".panel")?.querySelector("h2"))?.focus({ preventScroll: true });
}

/** @param {string} value coins @returns {HTMLInputElement} */
export function amount(value = "") {
  return h("input", { inputMode: "decimal", autocomplete: "off", required: true, maxLength: 16, value });
}

/**
 * @param {string} label
 * @param {[number | string, string][]} choices values and titles
 * @param {number | string} value
 * @returns {{ element: HTMLElement, select: HTMLSelectElement, seconds: () => number }}
 */
export function choice(label, choices, value) {
  const select = h("select", {}, choices.map(([one, title]) => h("option", { value: String(one), selected: one === value }, title)));
  return { element: field(label, select), select, seconds: () => Number(select.value) };
}

/** @param {string} summary @param {...import("../app/dom.js").Child} children @returns {HTMLDetailsElement} */
export function fold(summary, ...children) {
  return h("details", {}, h("summary", {}, summary), ...children);
}

/** @param {string} summary @param {() => Promise<import("../app/dom.js").Child>} asked when it is opened @returns {HTMLDetailsElement} */
export function askedFold(summary, asked) {
  const place = h("div", {}, h("p", { class: "soft" }, "…"));
  const details = fold(summary, place);
  details.addEventListener("toggle", () => { if (details.open) void shown(place, asked()); });
  return details;
}

/** @param {number} parcels @returns {string} */
export function sizeWords(parcels) {
  const area = parcels * 256;
  const hectares = (area / 10_000).toLocaleString(undefined, { maximumFractionDigits: 1 });
  return `${parcels} ${parcels === 1 ? "parcel" : "parcels"}, ${area < 10_000 ? `${area.toLocaleString()} m²` : `${hectares} ha`}`;
}
