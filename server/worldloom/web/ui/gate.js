/** The dialog before the world: who are you, and what the world asks for. */
import { fill, h } from "../app/dom.js";
import { duration } from "./format.js";
import { field, wordsOf } from "./forms.js";

/** @typedef {import("worldloom/world.js").Options} Who */

const AGAIN_MS = 5_000;
/** Quicker than that it need not be said. */
const PATIENCE_MS = 400;

export class Gate {
  #world;
  #dialog = h("dialog", { class: "gate card", "aria-labelledby": "gate-title", on: {
    cancel: (/** @type {Event} */ event) => event.preventDefault(),
  } });
  #timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);

  /** @param {string} world its name */
  constructor(world) {
    this.#world = world;
  }

  /** Says that it is on the way. */
  wait() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(
      h("h1", { id: "gate-title" }, this.#world), h("p", { class: "weaving", role: "status" }, "On the way in…"),
    ), this.#dialog.open ? 0 : PATIENCE_MS);
  }

  close() {
    clearTimeout(this.#timer);
    this.#dialog.remove();
  }

  /**
   * Another device's link was opened.
   *
   * @param {string} code
   * @returns {Promise<Who | null>} null: go on as before
   */
  pairing(code) {
    return new Promise((resolve) => this.#show(
      h("h1", { id: "gate-title" }, this.#world),
      h("p", {}, "This link brings an account to this browser, in the place of who you were here before."),
      h("div", { class: "row" },
        h("button", { type: "button", class: "main", on: { click: () => resolve({ code }) } }, "Use that account here"),
        h("button", { type: "button", on: { click: () => resolve(null) } }, "No")),
    ));
  }

  /**
   * @param {any} error why one did not come in
   * @param {Who} who as whom one tried
   * @returns {Promise<Who>} as whom to try next
   */
  ask(error, who) {
    clearTimeout(this.#timer);
    const { title, text, asks, waitMs = 0, again = true } = this.#judge(error, who);
    return new Promise((resolve) => {
      /** @type {HTMLElement[]} */
      const parts = [h("h1", { id: "gate-title" }, title), h("p", { role: "alert" }, text)];
      if (asks) parts.push(this.#comeIn(asks, who, resolve));
      if (asks || error?.code === "access") parts.push(this.#before(resolve));
      else if (error?.code === "version") parts.push(this.#reload());
      else if (again) parts.push(this.#again(waitMs, () => resolve({ ...who, resume: null })));
      this.#show(...parts);
      /** @type {HTMLElement | null} */ (this.#dialog.querySelector("input, button"))?.focus();
    });
  }

  /**
   * @param {any} error
   * @param {Who} who
   * @returns {{ title: string, text: string, asks?: { access: string, name: boolean }, waitMs?: number, again?: boolean }}
   *   asks: for what; `access`: how that is called
   */
  #judge(error, who) {
    const text = wordsOf(error);
    const waitMs = error?.retryAfterMs ?? 0;
    const access = who.access && who.keep ? "Invitation" : who.access ? "Password" : "";
    switch (error?.code) {
      case "access": return this.#closedDoor(error);
      case "token": return who.code
        ? { title: "That code is not good", text: "It was used, or is too old. Codes for another device last 10 minutes.",
          asks: { access, name: false } }
        : { title: "This browser is not known any more",
          text: "Its key was taken back. Come in with a code, or as somebody new.", asks: { access, name: false } };
      case "name_taken": case "name_invalid": return { title: "Another name, please", text, asks: { access, name: true } };
      case "banned": return {
        title: "You cannot come in", text: `${text}${waitMs ? ` It ends in ${duration(waitMs)}.` : ""}`, again: false };
      case "full": return { title: `${this.#world} is full`, text: "As many are here as there is room for.", waitMs };
      case "version": return { title: "This page is too old", text: "Load it again to get the new one." };
      case undefined: case 1006: return {
        title: `${this.#world} does not answer`, text: "The server may be starting anew, or you have no connection.", waitMs };
      default: return { title: "Not just now", text, waitMs };
    }
  }

  /** @param {any} error the code `access` */
  #closedDoor({ text, message }) {
    if (/invitation/.test(text)) {
      return { title: `${this.#world} is by invitation`, asks: { access: "Invitation", name: true },
        text: "Somebody here can give you one. With it you choose the name that you keep." };
    }
    if (/password/.test(text)) {
      const tried = !/got none/.test(text);
      return { title: `${this.#world} asks for a password`, asks: { access: "Password", name: false },
        text: tried ? "That was not it. Whoever runs this world knows it." : "Whoever runs this world knows it." };
    }
    return { title: `${this.#world} is closed`, text: wordsOf({ text: text ?? message }), waitMs: 30_000 };
  }

  /** @param {{ access: string, name: boolean }} asks @param {Who} who @param {(who: Who) => void} resolve */
  #comeIn(asks, who, resolve) {
    const access = h("input", { value: who.access ?? "", autocomplete: "off", maxLength: 128, required: true,
      type: asks.access === "Password" ? "password" : "text", spellcheck: false });
    const name = h("input", { value: who.name ?? "", autocomplete: "nickname", maxLength: 24, required: true });
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      const named = asks.name && name.value.trim() ? { name: name.value.trim(), keep: true } : {};
      resolve({ ...(asks.access ? { access: access.value } : {}), ...named });
    };
    return h("form", { class: "form", on: { submit } },
      asks.access && field(asks.access, access), asks.name && field("Name", name, "2 to 24 characters."),
      h("div", { class: "row" }, h("button", { type: "submit", class: "main" },
        asks.access || asks.name ? "Come in" : "Come in as somebody new")));
  }

  /** @param {(who: Who) => void} resolve */
  #before(resolve) {
    const code = h("input", { autocomplete: "off", maxLength: 64, required: true, spellcheck: false, class: "code" });
    return h("details", {}, h("summary", {}, "I have a code"),
      h("form", { class: "form", on: { submit: (/** @type {Event} */ event) => {
        event.preventDefault();
        resolve({ code: code.value.trim() });
      } } }, field("Code", code, "Your recovery code, or one that your other device shows."),
      h("div", { class: "row" }, h("button", { type: "submit" }, "Come in with the code"))));
  }

  #reload() {
    return h("button", { type: "button", class: "main", on: { click: () => location.reload() } }, "Load it again");
  }

  /** @param {number} waitMs @param {() => void} run */
  #again(waitMs, run) {
    let left = Math.ceil((waitMs || AGAIN_MS) / 1000);
    const said = h("span", { class: "soft" });
    const tell = () => {
      fill(said, `Trying again in ${duration(left * 1000)}.`);
      if (left-- <= 0) return run();
      this.#timer = setTimeout(tell, 1000);
    };
    tell();
    const now = () => {
      clearTimeout(this.#timer);
      run();
    };
    return h("div", { class: "row" }, h("button", { type: "button", class: "main", on: { click: now } }, "Try now"), said);
  }

  /** @param {...Node} parts */
  #show(...parts) {
    fill(this.#dialog, ...parts);
    if (!this.#dialog.isConnected) document.body.append(this.#dialog);
    if (!this.#dialog.open) this.#dialog.showModal();
  }
}
