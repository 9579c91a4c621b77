/** Choosing a body and its colours, with somebody to look at. */
import { fill, h } from "../app/dom.js";
import { defaultLook } from "worldloom";
import { BODIES, CLOTHS, HAIRS, SKINS } from "../people/looks.js";

/** @typedef {import("worldloom/looks.js").Look} Choice numbers of what there is */

const COLOURS = { skin: SKINS, hair: HAIRS, top: CLOTHS, legs: CLOTHS };
const TITLES = { skin: "Skin", hair: "Hair", top: "Top", legs: "Legs" };

/**
 * @param {import("../app/app.js").App} app
 * @returns {{ element: HTMLElement, close: () => void }}
 */
export function lookEditor(app) {
  let choice = worn(app.world);
  const canvas = h("canvas", { class: "look-preview", width: 360, height: 600, tabIndex: 0, role: "img",
    "aria-label": "How you look. The left and right arrow keys turn it." });
  const shown = h("div", { class: "look-shown" }, canvas, h("small", { "aria-hidden": "true" }, "↺ drag to turn ↻"));
  let draw = () => {};
  let stop = () => {};
  const said = h("p", { class: "said", role: "status" });
  const changed = (/** @type {Partial<Choice>} */ part) => {
    choice = { ...choice, ...part };
    draw();
    wear();
  };
  let waiting = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  // While somebody tries colours, the others need not be told of each.
  const wear = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => put(app, choice, said), 600);
  };
  import("./look_preview.js").then(({ preview }) => {
    ({ draw, stop } = preview(canvas, () => coloured(choice)));
  }, () => { shown.hidden = true; });
  const bodies = h("select", { id: "look-body", on: { change: () => changed({ body: Number(bodies.value) }) } },
    BODIES.map((title, value) => h("option", { value }, title)));
  bodies.value = String(choice.body);
  const [skin, ...cloths] = /** @type {(keyof typeof COLOURS)[]} */ (Object.keys(COLOURS)).map((name) => (
    swatches(name, COLOURS[name], choice, changed)));
  const element = h("div", {}, h("div", { class: "look" }, shown, h("div", { class: "look-choices" },
    h("div", { class: "field" }, h("label", { for: "look-body" }, "Body"), bodies), skin)), cloths, said);
  return { element, close: () => stop() };
}

/** @param {import("worldloom").World} world @returns {Choice} as others see you */
export function lookOf(world) {
  return world.knownPerson(world.me.id)?.look ?? defaultLook(world.me.id);
}

/** @param {import("worldloom").World} world @returns {Choice} of more bodies than these the next like it */
function worn(world) {
  const look = lookOf(world);
  return { ...look, body: look.body % BODIES.length };
}

/**
 * @param {import("../app/app.js").App} app
 * @param {Choice} choice
 * @param {HTMLElement} said
 */
async function put({ world }, choice, said) {
  try {
    await world.look(choice);
    fill(said, "Others see it.");
  } catch (error) {
    fill(said, /** @type {Error} */ (error).message);
  }
}

/**
 * @param {keyof typeof COLOURS} name
 * @param {readonly number[]} colours
 * @param {Choice} choice
 * @param {(part: Partial<Choice>) => void} changed
 */
function swatches(name, colours, choice, changed) {
  const inputs = colours.map((_, number) => h("input", { type: "radio", name: `look-${name}`, value: number, checked: number === choice[name],
    on: { change: () => {
      named();
      changed({ [name]: number });
    } } }));
  const named = () => inputs.forEach((input, number) => input.setAttribute("aria-label",
    `${TITLES[name]} ${number + 1} of ${colours.length}${input.checked ? ", chosen" : ""}`));
  named();
  return h("fieldset", { class: "swatches" }, h("legend", {}, TITLES[name]), h("div", { class: "swatch-row" },
    inputs.map((input, number) => {
      const swatch = h("span", { class: "swatch" }, input);
      swatch.style.setProperty("--colour", css(colours[number]));
      return swatch;
    })));
}

/** @param {Choice} choice @returns {import("../people/looks.js").Look} */
function coloured({ body, skin, hair, top, legs }) {
  return { body, skin: SKINS[skin], hair: HAIRS[hair], top: CLOTHS[top], legs: CLOTHS[legs] };
}

/** @param {number} colour 0xRRGGBB */
function css(colour) {
  return `#${colour.toString(16).padStart(6, "0")}`;
}
