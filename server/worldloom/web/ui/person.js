/** One person: what you can do with, and about, them. */
import { BlockReach, Role } from "worldloom";
import { fill, h } from "../app/dom.js";
import { confirmed, field, form } from "./forms.js";
import { direction, distance } from "./format.js";
import { sanctions } from "./sanctions.js";
import { lead } from "./walk.js";

const REFRESH_MS = 1000;
/** Nobody needs to be told the way. */
export const BESIDE_M = 1.5;
const BACK = "‹ All people";
/** What takes a block back, by its reach. @type {Record<number, { title: string, done: (name: string) => string }>} */
export const UNDO = {
  [BlockReach.SPEECH]: { title: "Unmute", done: (name) => `You and ${name} hear each other again.` },
  [BlockReach.ALL]: { title: "Unblock", done: (name) => `${name} is not blocked any more.` },
};

/** @param {{ kind: string, of?: string }} one @returns {HTMLElement | null} what they are, where that matters */
export function badge({ kind, of = "" }) {
  if (kind === "bot") return h("span", { class: "badge bot" }, of ? `bot of ${of}` : "bot");
  if (kind === Role.MODERATOR || kind === Role.OWNER) return h("span", { class: "badge staff" }, kind);
  return null;
}

/** @param {import("../app/app.js").App} app whether you keep order here */
export function isStaff({ world: { role } }) {
  return role === Role.MODERATOR || role === Role.OWNER;
}

export class Person {
  #app;
  #blocks;
  #who;
  #where = h("p", { class: "soft" });
  /** They stay where they are: what cannot be done just now is disabled. */
  #acts = {
    whisper: this.#act("Whisper", () => this.#app.chat?.whisper(this.#who.avatar, this.#who.name), "main"),
    walk: this.#act("Walk to", () => this.#walk()),
    map: this.#act("Show on the map", () => this.#app.panels.open("map", { x: this.#at().x, z: this.#at().z })),
    mute: this.#act("Mute", () => this.#mute()),
    block: this.#act("Block", () => this.#block(), "danger"),
  };

  /**
   * @param {import("../app/app.js").App} app
   * @param {import("./blocks.js").Blocks} blocks
   * @param {{ avatar: number, name: string, x?: number, z?: number }} who
   */
  constructor(app, blocks, who) {
    this.#app = app;
    this.#blocks = blocks;
    this.#who = who;
  }

  /** @param {HTMLElement} root @returns {import("../app/panels.js").Opened} */
  open(root) {
    const { name } = this.#who;
    const about = h("p", { hidden: true });
    this.#app.world.whoIs(this.#who.avatar).then((found) => {
      const shown = found && badge(found);
      about.hidden = !shown;
      fill(about, shown);
    }, () => {});
    fill(root, h("button", { type: "button", class: "plain back", on: { click: () => this.#app.panels.open("people") } }, BACK),
      about, this.#where,
      h("div", { class: "acts" }, Object.values(this.#acts)),
      h("p", { class: "soft" }, "Muted, the two of you do not hear each other; blocked, you do not see each other either."), this.#report(), isStaff(this.#app) && sanctions(this.#app, this.#who));
    this.#refresh();
    const timer = setInterval(() => this.#refresh(), REFRESH_MS);
    const off = this.#blocks.on("changed", () => this.#refresh());
    return { title: name, close: () => { clearInterval(timer); off(); } };
  }

  #refresh() {
    const here = this.#app.people?.get(this.#who.avatar);
    const { x: atX, z: atZ } = this.#at();
    const isKnown = atX !== undefined && atZ !== undefined;
    if (isKnown) {
      const { x, z } = this.#app.body.pose;
      const far = Math.hypot(atX - x, atZ - z);
      fill(this.#where, here && far < BESIDE_M ? "Right beside you."
        : `${here ? "" : "About "}${distance(far)} to the ${direction(atX - x, atZ - z)}`);
    } else {
      fill(this.#where, "Not in view.");
    }
    const blocked = this.#blocks.get(this.#who.avatar);
    const { whisper, walk, map, mute, block } = this.#acts;
    whisper.disabled = Boolean(blocked);
    walk.disabled = !isKnown;
    map.disabled = !isKnown || !this.#app.panels.has("map");
    mute.textContent = blocked ? UNDO[blocked.reach].title : "Mute";
    block.disabled = blocked?.reach === BlockReach.ALL;
  }

  /** @param {string} text @param {() => void} click @param {string} [kind] @returns {HTMLButtonElement} */
  #act(text, click, kind = "") {
    // The second half of a double click does not undo what the first did.
    return h("button", { type: "button", class: kind, on: { click: (/** @type {MouseEvent} */ event) => { if (event.detail < 2) click(); } } }, text);
  }

  /** @returns {{ x: number, z: number }} */
  #at() {
    return this.#app.people.get(this.#who.avatar) ?? /** @type {any} */ (this.#who);
  }

  #walk() {
    const { avatar, name } = this.#who;
    this.#app.panels.close();
    const { x, z } = this.#at();
    void lead(this.#app, { to: name, x, z, avatar });
  }

  #mute() {
    const { avatar, name } = this.#who;
    const blocked = this.#blocks.get(avatar);
    return blocked ? this.#app.attempt(this.#blocks.unblock(avatar), UNDO[blocked.reach].done(name))
      : this.#app.attempt(this.#blocks.block(this.#who, BlockReach.SPEECH), `You and ${name} do not hear each other any more.`);
  }

  async #block() {
    const { name } = this.#who;
    const sure = await confirmed({
      title: `Block ${name}?`, yes: "Block", danger: true,
      text: "The two of you will not see or hear each other any more. You can undo it in the list of people.",
    });
    if (!sure) return;
    await this.#app.attempt(this.#blocks.block(this.#who), `${name} is blocked.`);
  }

  #report() {
    const { avatar, name } = this.#who;
    const text = h("textarea", { rows: 3, maxLength: 500, required: true });
    return h("details", {}, h("summary", {}, "Report"),
      form({ button: "Send the report", run: async () => {
        const number = await this.#app.world.report(avatar, text.value);
        text.value = "";
        return `Thank you. Staff will read it: it is report ${number}.`;
      } }, field(`What is wrong with what ${name} does?`, text,
        "What you saw and heard in the last 30 seconds goes along by itself.")));
  }
}
