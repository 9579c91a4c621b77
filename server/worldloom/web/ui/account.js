/** The panel of your own account: name, looks, and how you come back. */
import { Role } from "worldloom";
import { fill, h } from "../app/dom.js";
import { devices, botKeys } from "./devices.js";
import { confirmed, field, form, tick } from "./forms.js";
import { lookEditor, lookOf } from "./look_editor.js";
import { become, comeBack } from "./keeping.js";
import { qr } from "./qr.js";
import { copied, secret } from "./secret.js";
import { duration } from "./format.js";

const ICON = "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c.6-4 3.7-6 7.5-6s6.9 2 7.5 6";

/** @param {import("../app/app.js").App} app */
export function install(app) {
  app.panels.add({ id: "account", title: "You", icon: ICON, key: "u", open: (root, about) => open(app, root, about) });
  if (app.world.recovery) recoveryShown(app.world.recovery);
}

/**
 * @param {import("../app/app.js").App} app
 * @param {HTMLElement} root
 * @param {{ code?: boolean } | null} about code: whoever opens it has one to enter
 * @returns {import("../app/panels.js").Opened}
 */
function open(app, root, about) {
  const { world } = app;
  const isGuest = world.role === Role.GUEST;
  const look = lookEditor(app);
  fill(root,
    h("p", { class: "row" }, h("b", { class: "own-name" }, world.me.name), h("span", { class: "badge" }, world.role)),
    isGuest ? [keepForm(app), codeForm(app, Boolean(about?.code))] : null,
    h("h3", {}, "How you look"), look.element,
    isGuest ? null : [codes(app), devices(app), botKeys(app)],
    finding(app), leaving(app, isGuest));
  return { close: look.close };
}

/**
 * For a guest: a name of one's own.
 *
 * @param {import("../app/app.js").App} app
 * @param {import("../app/dom.js").Child} [beside] other buttons
 * @returns {HTMLElement}
 */
export function keepForm(app, beside = null) {
  const name = h("input", { maxLength: 24, minLength: 2, required: true, autocomplete: "nickname", spellcheck: false });
  return form({ button: "Keep this name", beside, run: async () => {
    const before = app.world.welcome?.you;
    const { recovery } = await become(app.settings, { name: name.value.trim(), keep: true, look: lookOf(app.world), before });
    await recoveryShown(recovery);
    await comeBack(app, { here: true });
  } }, field("Your name", name, "You are a guest. With a name you come back as yourself, to where you were, and may own land."));
}

/** @param {import("../app/app.js").App} app @param {boolean} wanted at once */
function codeForm(app, wanted) {
  const code = h("input", { maxLength: 64, required: true, autocomplete: "off", spellcheck: false, class: "code" });
  // The panel takes the keyboard when it is open.
  if (wanted) setTimeout(() => code.focus());
  return h("details", { open: wanted }, h("summary", {}, "I have a code"), form({ button: "Come back", run: async () => {
    const { recovery } = await become(app.settings, { code: code.value.trim() });
    if (recovery) await recoveryShown(recovery, { renewed: true });
    await comeBack(app, { here: false });
  } }, field("Code", code, "Your recovery code, or one that your other device shows.")));
}

/**
 * Shows a recovery code, until the person says that it is written down.
 *
 * @param {string} code
 * @param {{ renewed?: boolean }} [how] renewed: there was one before, which is void now
 * @returns {Promise<void>}
 */
export function recoveryShown(code, { renewed = false } = {}) {
  return new Promise((resolve) => {
    const done = h("input", { on: { change: () => { go.disabled = !done.checked; } } });
    const go = h("button", { type: "button", class: "main", disabled: true, on: { click: () => {
      dialog.remove();
      resolve();
    } } }, "Go on");
    const dialog = h("dialog", { class: "card", "aria-labelledby": "recovery-title",
      on: { cancel: (/** @type {Event} */ event) => event.preventDefault() } },
    h("h2", { id: "recovery-title" }, "Write this down"),
    renewed && h("p", {}, h("b", {}, "The code that you had before is used up: this is the new one.")),
    h("p", {}, "This is your recovery code. With it you come back if this browser forgets you, or is lost. It is shown this once."),
    secret(code, "Recovery code"), tick("I have it", done), h("div", { class: "row end" }, go));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** @param {import("../app/app.js").App} app */
function codes({ world }) {
  const told = h("div", {});
  return [
    h("h3", {}, "Come back, and other devices"),
    form({ button: "Show a code for another device", kind: "", run: async () => {
      const { text, until_ms: until } = await world.account.pairingCode();
      const link = `${location.origin}/?code=${encodeURIComponent(text)}`;
      fill(told, h("p", {}, "Point the camera of the other device at this picture, open the link there, or choose “I have a code” there and enter it. ",
        `It works once, for ${duration(until - Date.now())}.`),
      await qr(link, "The link for another device, as a QR code"), secret(text, "Code for another device"),
      h("button", { type: "button", on: { click: () => copied(link) } }, "Copy the link"));
    } }),
    told,
    form({ button: "New recovery code", kind: "", run: async () => {
      const sure = await confirmed({ title: "A new recovery code?", text: "The one before is void then.", yes: "New code" });
      if (sure) await recoveryShown((await world.account.recoveryCode()).text, { renewed: true });
    } }),
  ];
}

/** Whether others find you by name. @param {import("../app/app.js").App} app */
function finding(app) {
  const { world } = app;
  const box = h("input", { checked: world.welcome?.findable ?? true, on: { change: async () => {
    const wanted = box.checked;
    if (!(await app.attempt(world.findable(wanted).then(() => true)))) box.checked = !wanted;
  } } });
  return [h("h3", {}, "Being found"), tick("Others can find me by name", box, "Those who see you see you anyway.")];
}

/** @param {import("../app/app.js").App} app @param {boolean} isGuest */
function leaving({ world, settings }, isGuest) {
  const forget = async () => {
    const sure = await confirmed({ title: "Leave, and forget me here?", yes: "Leave", danger: true,
      text: "This browser will not know you any more. You come back with your recovery code." });
    if (!sure) return;
    settings.keep("token", null);
    await world.leave();
  };
  return [
    h("h3", {}, "Leave"),
    h("div", { class: "row" },
      h("button", { type: "button", on: { click: () => world.leave() } }, "Leave the world"),
      !isGuest && h("button", { type: "button", class: "danger", on: { click: forget } }, "Leave, and forget me here")),
  ];
}
