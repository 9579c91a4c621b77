/** What becomes of the connection: lost, back, sent out, ended. And notices. */
import { fill, h } from "../app/dom.js";
import { duration } from "./format.js";
import { Notices } from "./notices.js";

/** Where a person may come back after being sent out, but it was not said when. */
const KICKED_MS = 60_000;
/** The code of a close: another page of the same account took over. */
const REPLACED = 4001;

/** @param {import("../app/app.js").App} app */
export function install(app) {
  const banner = new Banner(app);
  const { world } = app;
  world.on("lost", ({ waitMs }) => banner.lost(waitMs));
  world.on("resumed", ({ same }) => banner.back(same));
  world.on("closed", ({ error }) => {
    banner.hide();
    if (!app.goes) ended(app, error);
  });
  new Notices(app);
}

class Banner {
  #app;
  #root = h("div", { class: "banner", role: "status", hidden: true });
  #text = h("span", {});
  #count = h("span", { "aria-hidden": "true" });
  #since = 0;
  #nextAt = 0;
  #timer = /** @type {ReturnType<typeof setInterval> | undefined} */ (undefined);

  /** @param {import("../app/app.js").App} app */
  constructor(app) {
    this.#app = app;
    this.#root.append(h("span", { class: "spinner", "aria-hidden": "true" }), this.#text, this.#count);
    app.ui.append(this.#root);
  }

  /** @param {number} waitMs until the next try */
  lost(waitMs) {
    const now = performance.now();
    this.#since ||= now;
    this.#nextAt = now + waitMs;
    fill(this.#text, "The connection is lost. Coming back by itself. ");
    this.#root.hidden = false;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#tell(), 500);
    this.#tell();
  }

  /** @param {boolean} same whether it is the same session */
  back(same) {
    const awayMs = performance.now() - this.#since;
    this.hide();
    this.#app.toasts.tell(same ? "You are back." : `You are back, after ${duration(awayMs)}.`, { kind: "good" });
    if (this.#app.world.token) this.#app.settings.keep("token", this.#app.world.token);
  }

  hide() {
    clearInterval(this.#timer);
    this.#root.hidden = true;
    this.#since = 0;
  }

  #tell() {
    const now = performance.now();
    const left = this.#nextAt - now;
    fill(this.#count, `For ${duration(now - this.#since)}. ${left > 500 ? `Next try in ${duration(left)}.` : "Trying…"}`);
  }
}

/** It is over, for good. @param {import("../app/app.js").App} app @param {any} error */
function ended({ world, settings, stage }, error) {
  stage?.stop();
  if (error.why === "revoked") settings.keep("token", null);
  const { title, text, waitMs = 0 } = told(error, world.welcome?.world ?? "the world");
  const again = h("button", { type: "button", class: "main", on: { click: () => location.reload() } }, "Come back");
  const wait = h("p", { class: "soft" });
  const dialog = h("dialog", { class: "gate card", "aria-labelledby": "ended-title",
    on: { cancel: (/** @type {Event} */ event) => event.preventDefault() } },
  h("h1", { id: "ended-title" }, title), h("p", {}, text), wait, waitMs < Infinity && h("div", { class: "row" }, again));
  document.body.append(dialog);
  dialog.showModal();
  const until = performance.now() + waitMs;
  const tell = () => {
    const left = until - performance.now();
    again.disabled = left > 0;
    fill(wait, left > 0 && left < Infinity ? `You may come back in ${duration(left)}.` : "");
    if (left > 0 && left < Infinity) setTimeout(tell, 500);
  };
  tell();
}

/**
 * @param {any} error of the event `closed`
 * @param {string} world
 * @returns {{ title: string, text: string, waitMs?: number }} waitMs: Infinity, there is no coming back
 */
function told({ code, why, text = "", reason = "", retryAfterMs = 0, message }, world) {
  if (why === "kicked") {
    return { title: "You were sent out", text: text || "By those who keep order here.", waitMs: retryAfterMs || KICKED_MS };
  }
  if (why === "banned" || code === "banned") {
    return { title: `You are banned from ${world}`, text, waitMs: retryAfterMs || Infinity };
  }
  if (why === "revoked") {
    return { title: "This browser was signed out", text: "Its key was taken back, from another device or by staff." };
  }
  if (code === 1000) return { title: "Goodbye", text: `You have left ${world}.` };
  if (code === REPLACED) return { title: "You are here in another place", text: "The same account came in with another page or device." };
  return { title: "The connection has ended", text: text || reason || message };
}
