/** The panel of people: who is near, finding somebody, those whom you blocked, and one of them. */
import { BlockReach } from "worldloom";
import { fill, h } from "../app/dom.js";
import { Blocks } from "./blocks.js";
import { field, wordsOf } from "./forms.js";
import { direction, distance } from "./format.js";
import { BESIDE_M, Person, UNDO, badge } from "./person.js";

const ICON = "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.4-3.6 3-5.5 6.5-5.5s6.1 1.9 6.5 5.5M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.8c2 .8 3.2 2.5 3.5 5.2";
const MOST_SHOWN = 100;
const REFRESH_MS = 1000;
const TYPING_MS = 300;

/** @param {import("../app/app.js").App} app */
export function install(app) {
  const blocks = new Blocks(app);
  app.panels.add({
    id: "people", title: "People", icon: ICON, key: "p",
    open: (root, about) => (about?.avatar ? new Person(app, blocks, about).open(root) : new List(app, blocks).open(root)),
  });
}

class List {
  #app;
  #blocks;
  #near = h("ul", { class: "people-list", "aria-label": "Near you" });
  #heading = h("h3", {}, "Near you");
  #blocked = h("div", {});
  #wanted = h("input", { type: "search", autocomplete: "off", maxLength: 24, spellcheck: false });
  #shown = "";
  #asked = /** @type {Set<number>} */ (new Set());

  /** @param {import("../app/app.js").App} app @param {Blocks} blocks */
  constructor(app, blocks) {
    this.#app = app;
    this.#blocks = blocks;
  }

  /** @param {HTMLElement} root @returns {import("../app/panels.js").Opened} */
  open(root) {
    fill(root, field("Find somebody by name", this.#wanted), this.#heading, this.#near, this.#blocked);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let typing;
    this.#wanted.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.#find(), TYPING_MS);
    });
    this.#list();
    this.#showBlocked();
    const timer = setInterval(() => this.#wanted.value.trim() || this.#list(), REFRESH_MS);
    const off = this.#blocks.on("changed", () => this.#showBlocked());
    return { close: () => { clearInterval(timer); clearTimeout(typing); off(); } };
  }

  #list() {
    const near = this.#app.people?.list() ?? [];
    fill(this.#heading, near.length ? `Near you: ${near.length}` : "Nobody is near you");
    this.#show(near);
  }

  async #find() {
    const wanted = this.#wanted.value.trim();
    if (!wanted) return this.#list();
    const near = (this.#app.people?.list() ?? []).filter(({ name }) => has(name, wanted));
    const { world } = this.#app;
    try {
      const { x, z } = world.me;
      const found = (await world.find(wanted)).map((one) => ({ of: "", ...one, distance: Math.hypot(one.x - x, one.z - z) }));
      if (this.#wanted.value.trim() !== wanted) return;
      const others = found.filter((one) => !near.some(({ avatar }) => avatar === one.avatar));
      const all = [...near, ...others];
      fill(this.#heading, all.length ? `Found: ${all.length}` : `Nobody called “${wanted}” is here`);
      this.#show(all);
    } catch (error) {
      fill(this.#heading, wordsOf(error));
    }
  }

  /** @param {any[]} people */
  #show(people) {
    const { x, z } = this.#app.body.pose;
    const rows = people.slice(0, MOST_SHOWN).map((one) => ({
      one: { ...one, ...this.#known(one) }, where: one.distance < BESIDE_M ? "beside you" : `${distance(one.distance)} ${direction(one.x - x, one.z - z)}` }));
    const shown = rows.map(({ one, where }) => `${one.avatar} ${one.name} ${one.kind} ${where}`).join("\n");
    if (shown === this.#shown) return;
    this.#shown = shown;
    // The one that has the focus keeps it, although its row is made anew.
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.avatar;
    fill(this.#near, rows.map(({ one, where }) => h("li", {}, h("button", {
      type: "button", class: "person", data: { avatar: one.avatar },
      on: { click: () => this.#app.panels.open("people", { avatar: one.avatar, name: one.name, x: one.x, z: one.z }) },
    }, h("span", { class: "who" }, one.name || "…", badge(one)), h("small", {}, where)))));
    if (focused) /** @type {HTMLElement | null} */ (this.#near.querySelector(`[data-avatar="${focused}"]`))?.focus();
  }

  /** Who they are is known of the nearest; of the others here it is asked for. @param {any} one */
  #known({ avatar, name }) {
    const { world } = this.#app;
    const known = world.knownPerson(avatar);
    if (!name && !known && !this.#asked.has(avatar)) {
      this.#asked.add(avatar);
      world.whoIs(avatar).catch(() => this.#asked.delete(avatar));
    }
    return known ? { name: known.name, kind: known.kind, of: known.of } : {};
  }

  #showBlocked() {
    const all = this.#blocks.list();
    this.#blocked.hidden = all.length === 0;
    fill(this.#blocked, this.#group("Muted by you", all.filter(({ reach }) => reach !== BlockReach.ALL)),
      this.#group("Blocked by you", all.filter(({ reach }) => reach === BlockReach.ALL)));
  }

  /** @param {string} title @param {import("./blocks.js").Blocked[]} blocked */
  #group(title, blocked) {
    return blocked.length > 0 && [h("h3", {}, title), h("ul", { class: "people-list" }, blocked.map(({ avatar, name, reach }) => {
      const undo = UNDO[reach];
      return h("li", { class: "row" }, h("span", { class: "grow" }, name), h("button", { type: "button", "aria-label": `${undo.title} ${name}`,
        on: { click: () => this.#app.attempt(this.#blocks.unblock(avatar), undo.done(name)) } }, undo.title));
    }))];
  }
}

/** @param {string} name @param {string} part */
function has(name, part) {
  return name.toLocaleLowerCase().includes(part.toLocaleLowerCase());
}
