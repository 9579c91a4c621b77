/** The panel of settings: all that the parts of the page have defined. */
import { fill, h } from "../app/dom.js";
import { keyList } from "./keys.js";

const ICON = "M4 7h10M18 7h2M4 17h2M10 17h10M16 4.5v5M8 14.5v5";

const TOUCH = matchMedia("(pointer: coarse)");

/** @type {Record<string, string>} */
const GROUPS = { picture: "Picture", sound: "Sound", comfort: "Comfort", keys: "Keys" };

/** @param {import("../app/app.js").App} app */
export function install({ panels, settings }) {
  panels.add({ id: "settings", title: "Settings", icon: ICON, key: "o", open: (root) => {
    const all = [...settings.defined.values()];
    const groups = new Set([...Object.keys(GROUPS), ...all.map(({ group }) => group)]);
    fill(root, [...groups].map((group) => {
      const own = all.filter((setting) => setting.group === group);
      const keys = group === "keys" && !TOUCH.matches;
      return (own.length > 0 || keys) && h("section", {}, h("h3", {}, GROUPS[group] ?? group),
        own.map((setting) => control(settings, setting)), keys && keyList(panels));
    }));
  } });
}

/** @param {import("../app/settings.js").Settings} settings @param {import("../app/settings.js").Setting} setting */
function control(settings, setting) {
  const { name, title, hint, kind } = setting;
  const id = `setting-${name}`;
  const about = hint ? h("small", { id: `${id}-hint` }, hint) : null;
  const make = { switch: asSwitch, range: asRange, choice: asChoice }[kind];
  const [input, beside] = make(settings, setting, { id, "aria-describedby": about?.id });
  return h("div", { class: `setting ${kind}` }, h("label", { for: id }, title), input, beside, about);
}

/** @typedef {(settings: import("../app/settings.js").Settings, setting: import("../app/settings.js").Setting,
 *   props: { id: string } & import("../app/dom.js").Props) => [HTMLElement, HTMLElement | null]} Make */

/** @type {Make} */
function asSwitch(settings, { name }, props) {
  const input = h("input", { ...props, type: "checkbox", checked: settings.get(name),
    on: { change: () => settings.set(name, input.checked) } });
  return [input, null];
}

/** @type {Make} */
function asRange(settings, { name, from = 0, to = 100, step = 1 }, props) {
  const value = h("output", { for: props.id }, settings.get(name));
  const input = h("input", { ...props, type: "range", min: String(from), max: String(to), step: String(step), on: { input: () => {
    settings.set(name, Number(input.value));
    fill(value, input.value);
  } } });
  // After its bounds: a range takes no value beyond them.
  input.value = String(settings.get(name));
  return [input, value];
}

/** @type {Make} */
function asChoice(settings, { name, choices = {} }, props) {
  const input = h("select", { ...props, on: { change: () => settings.set(name, input.value) } },
    Object.entries(choices).map(([value, text]) => h("option", { value }, text)));
  input.value = settings.get(name);
  return [input, null];
}
