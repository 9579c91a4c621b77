/** The panel of those who keep order: reports, accounts, invitations, what was done. */
import { Role } from "worldloom";
import { fill, h } from "../app/dom.js";
import { field, form, wordsOf } from "./forms.js";
import { ago, duration, when } from "./format.js";
import { badge, isStaff } from "./person.js";
import { sanctions } from "./sanctions.js";
import { secret } from "./secret.js";

const ICON = "M12 3l7.5 3v5.5c0 4.5-3 8-7.5 9.5-4.5-1.5-7.5-5-7.5-9.5V6zM8.5 12l2.5 2.5 4.5-5";

/** @typedef {import("../app/app.js").App} App */

/** @param {App} app */
export function install(app) {
  app.panels.add({ id: "staff", title: "Order", icon: ICON, key: "k", shown: () => isStaff(app), open: (root) => open(app, root) });
  app.world.on("standing", () => app.panels.refresh());
}

/** @param {App} app @param {HTMLElement} root */
function open(app, root) {
  const isOwner = app.world.role === Role.OWNER;
  const body = h("div", { class: "staff-body" });
  const parts = { Reports: reports, Accounts: accounts, Invitations: invitations, You: yourself, ...(isOwner ? { Log: audit } : {}) };
  const tabs = Object.entries(parts).map(([title, show]) => h("button", { type: "button", "aria-pressed": "false",
    on: { click: () => choose(title, show) } }, title));
  const choose = async (/** @type {string} */ title, /** @type {(app: App, body: HTMLElement) => Promise<void>} */ show) => {
    for (const tab of tabs) tab.setAttribute("aria-pressed", String(tab.textContent === title));
    fill(body, h("p", { class: "soft" }, "…"));
    try {
      await show(app, body);
    } catch (error) {
      fill(body, h("p", { class: "said bad" }, wordsOf(error)));
    }
  };
  fill(root, h("div", { class: "tabs", role: "group", "aria-label": "Parts" }, tabs), body);
  choose("Reports", reports);
}

/** @param {App} app @param {HTMLElement} body */
async function reports(app, body) {
  const open = await app.world.staff.reports();
  fill(body, open.length ? h("ol", { class: "plain-list" }, open.map((report) => reportRow(app, body, report)))
    : h("p", {}, "No report is open."));
}

/** @param {App} app @param {HTMLElement} body @param {import("worldloom/results.js").Reported} report */
function reportRow(app, body, { number, at_ms: at, by, about, text }) {
  const how = h("input", { maxLength: 500, autocomplete: "off" });
  return h("li", { class: "boxed" },
    h("p", {}, h("b", {}, about), " ", h("small", {}, `report ${number}, by ${by}, ${ago(at)}`)),
    h("p", { class: "quote" }, text || "(without words)"),
    h("p", { class: "soft" }, "What both saw and heard is sealed with it: ", h("code", {}, `worldloom people report ${number}`),
      " on the server shows it."),
    sanctions(app, { name: about }),
    h("details", {}, h("summary", {}, "It is dealt with"), form({ button: "Close the report", run: async () => {
      await app.world.staff.closeReport(number, how.value);
      await reports(app, body);
    } }, field("How", how))));
}

/** @param {App} app @param {HTMLElement} body */
async function accounts(app, body) {
  const name = h("input", { type: "search", maxLength: 24, autocomplete: "off", spellcheck: false });
  const list = h("ul", { class: "plain-list" });
  const search = async () => {
    const found = await app.world.staff.list(name.value.trim());
    fill(list, found.length ? found.map((person) => accountRow(app, person)) : h("li", {}, "Nobody."));
  };
  fill(body, form({ button: "Search", kind: "", run: search }, field("A part of the name", name)), list);
  await search();
}

/** @param {App} app @param {import("worldloom/results.js").Person} person */
function accountRow(app, person) {
  const { avatar, name, role, here, of, is_bot: isBot, hidden } = person;
  const more = h("div", {});
  const box = h("details", { class: "boxed", on: { toggle: () => box.open && show() } }, h("summary", {}, name, " ",
    badge({ kind: isBot ? "bot" : role, of }), h("small", {}, ` ${here ? "here" : "away"}${hidden ? ", hidden" : ""}`)), more);
  const show = async () => {
    try {
      const all = await app.world.staff.show(avatar);
      fill(more, h("p", { class: "soft" }, `${all.role}. ${all.made_ms ? `Since ${when(all.made_ms)}, last seen ${ago(all.seen_ms)}.` : "A guest."} `,
        all.address && `From ${all.address}.`),
      h("ul", { class: "plain-list" }, all.sanctions.map(({ kind, reason, until_ms: until, by }) => h("li", {},
        `${kind} by ${by}${until ? `, for ${duration(until - Date.now())} more` : ", without end"}${reason ? `: ${reason}` : ""}`))),
      avatar !== app.world.me.id && sanctions(app, { avatar, name }));
    } catch (error) {
      fill(more, h("p", { class: "said bad" }, wordsOf(error)));
    }
  };
  return h("li", {}, box);
}

/** @param {App} app @param {HTMLElement} body */
async function invitations(app, body) {
  const uses = h("input", { type: "number", min: "1", max: "1000", value: "1", required: true });
  const days = h("input", { type: "number", min: "1", max: "365", value: "7", required: true });
  const told = h("div", {});
  fill(body, form({ button: "Make an invitation", run: async () => {
    const options = { uses: Number(uses.value), minutes: Number(days.value) * 1440 };
    const { text, until_ms: until } = await app.world.staff.invite(options);
    fill(told, h("p", {}, `Good until ${when(until)}. Give the code, or this link:`), secret(text, "Invitation"),
      secret(`${location.origin}/?access=${encodeURIComponent(text)}`, "Link with the invitation"));
  } }, field("For how many", uses), field("For how many days", days)), told);
}

/** @param {App} app @param {HTMLElement} body */
async function yourself(app, body) {
  const { staff } = app.world;
  const run = async () => {
    await (app.world.hidden ? staff.appear() : staff.hide());
    // Standing tells it, too, a moment later.
    return "Done.";
  };
  fill(body, h("p", {}, app.world.hidden ? "You are hidden: staff alone see you. Who hears you knows that you are here."
    : "Everybody near sees you."), form({ button: app.world.hidden ? "Appear" : "Hide", run }));
  const off = app.world.on("standing", () => {
    off();
    if (body.isConnected) yourself(app, body);
  });
}

/** @param {App} app @param {HTMLElement} body */
async function audit(app, body) {
  const acts = await app.world.staff.audit();
  fill(body, h("ol", { class: "plain-list" }, acts.map(({ at_ms: at, by, act, about, text }) => h("li", {},
    h("b", {}, by), ` ${act} ${about}`, text && h("span", {}, `: ${text}`), " ", h("small", {}, when(at))))));
}
