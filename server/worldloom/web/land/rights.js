/** Who may do what in an estate, for whoever gives rights there. */
import { newKey } from "worldloom/dealer.js";
import { Verb } from "worldloom";
import { h } from "../app/dom.js";
import { field, form, tick } from "../ui/forms.js";
import { when } from "../ui/format.js";
import { actButton } from "./deal.js";
import { landOf } from "./data.js";
import { ENDS, askedFold, choice } from "./tabs.js";
import { FOR_ALL, VERBS, verbWords } from "./verbs.js";

/** @typedef {import("../app/app.js").App} App */
/** @type {[number, string][]} */
const FOR = [[0, "without end"], ...ENDS];
/** @type {[string, string][]} */
const ROLES = [["builder", "Builder: walk in, build, change the ground"], ["manager", "Manager: all but selling"], 
  ["tenant", "Tenant: as somebody who lives there"], ["", "Only walk in and look round"]];

/** @param {App} app @param {number} estate @returns {HTMLElement} */
export function rightsFold(app, estate) {
  return askedFold("Who may do what", async () => {
    const { trade } = app.world;
    const rights = await trade.estate("rights", { estate });
    const act = (/** @type {string} */ name, /** @type {object} */ fields) => trade.estate(name, { key: newKey(), estate, ...fields });
    return [everyone(app, rights, act), permits(app, rights, act), giving(app, act), barring(app, rights, act)];
  });
}

/** @typedef {(name: string, fields: object) => Promise<any>} Act */

/** @param {App} app @param {any} rights @param {Act} act */
function everyone(app, rights, act) {
  const boxes = VERBS.filter(([verb]) => FOR_ALL & verb).map(([verb, title]) => ({ verb, title, box: h("input", { checked: Boolean(rights.everyone & verb) }) }));
  return form({ button: "Save for everyone", kind: "", run: async () => {
    await act("allow", { verbs: boxes.reduce((sum, { verb, box }) => (box.checked ? sum | verb : sum), 0) });
    return "Saved: it holds from now on.";
  } }, h("fieldset", {}, h("legend", {}, "Everyone may"), boxes.map(({ title, box }) => tick(title, box))));
}

/** @param {App} app @param {any} rights @param {Act} act */
function permits(app, rights, act) {
  const given = rights.permits.filter((/** @type {any} */ { account, until_ms: until }) => account && (!until || until > Date.now()));
  if (!given.length) return null;
  return h("ul", { class: "plain-list" }, given.map(({ account, name, role, verbs, until_ms: until }) => h("li", { class: "boxed row" },
    h("span", { class: "grow" }, h("b", {}, name), ` may ${role ? `as ${role}: ` : ""}${verbWords(verbs)}${until ? `, until ${when(until)}` : ""}`),
    actButton(app, "Take back", { done: `${name} has no rights of their own any more.`, run: () => act("disallow", { account }) }))));
}

/** @param {App} app @param {Act} act */
function giving(app, act) {
  const name = h("input", { maxLength: 64, required: true, autocomplete: "off", spellcheck: false });
  const role = choice("What", ROLES, "builder");
  const until = choice("For", FOR, 0);
  return form({ button: "Give these rights", run: async () => {
    await act("allow", { name: name.value.trim(), role: role.select.value, verbs: role.select.value ? 0 : Verb.ENTER | Verb.SEE, seconds: until.seconds() });
    landOf(app).stale();
    return "Given.";
  } }, h("h3", {}, "Give rights to somebody"), field("Name", name), role.element, until.element);
}

/** @param {App} app @param {any} rights @param {Act} act */
function barring(app, rights, act) {
  const name = h("input", { maxLength: 64, required: true, autocomplete: "off", spellcheck: false });
  const reason = h("input", { maxLength: 200, autocomplete: "off" });
  const until = choice("For", FOR, 86_400);
  const barred = rights.barred.filter((/** @type {any} */ { until_ms: end }) => !end || end > Date.now());
  return [form({ button: "Shut out", kind: "danger", run: async () => {
    await act("exclude", { name: name.value.trim(), text: reason.value.trim(), seconds: until.seconds() });
    landOf(app).stale();
    return "Shut out.";
  } }, h("h3", {}, "Shut somebody out"), field("Name", name), field("Reason", reason), until.element),
  barred.length > 0 && h("ul", { class: "plain-list" }, barred.map((/** @type {any} */ one) => h("li", { class: "boxed row" },
    h("span", { class: "grow" }, h("b", {}, one.name), ` is shut out${one.until_ms ? ` until ${when(one.until_ms)}` : ""}${one.reason ? `: ${one.reason}` : ""}`),
    actButton(app, "Let in again", { done: `${one.name} may come in again.`, run: () => act("admit", { account: one.account }) }))))];
}
