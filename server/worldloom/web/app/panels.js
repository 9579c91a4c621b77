/** Panels: one at a time beside the world, each with a button in the bar and perhaps a key. */
import { Emitter } from "worldloom/emitter.js";
import { fill, h, icon } from "./dom.js";

/**
 * @typedef {{ close?: () => void, title?: string }} Opened `title`: instead of the panel's own
 * @typedef {{ id: string, title: string, icon: string, key?: string, wide?: boolean, hidden?: boolean,
 *   within?: string, shown?: () => boolean, open: (root: HTMLElement, about: any) => Opened | void }} Panel `icon`: of `dom.icon`.
 *   `key`: a KeyboardEvent.key in lower case. `wide`: as much room as there is. `hidden`: no button in the bar.
 *   `within`: id of the panel from which it is reached, and whose button is lit and closes it too.
 *   `shown`: whether its button is there now, for staff for example. `open` builds it within `root`
 */

const CLOSE = "M6 6 18 18M18 6 6 18";

/** Events: `opened` {id}, `closed` {id}. */
export class Panels extends Emitter {
  #panels = /** @type {Map<string, Panel>} */ (new Map());
  #bar = h("nav", { class: "bar", "aria-label": "Panels" });
  #heading = h("h2", { id: "panel-title", tabIndex: -1 });
  #root = h("div", { class: "panel-body" });
  #panel = h("section", { class: "panel", role: "dialog", "aria-labelledby": "panel-title", hidden: true },
    h("header", {}, this.#heading, h("button", {
      type: "button", class: "plain", "aria-label": "Close", on: { click: () => this.close() },
    }, icon(CLOSE))), this.#root);
  #now = /** @type {{ panel: Panel, opened: Opened | void, from: Element | null } | null} */ (null);

  /** @param {HTMLElement} ui */
  constructor(ui) {
    super();
    ui.append(this.#bar, this.#panel);
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    });
  }

  /** Id of the one that is open; empty: none is. */
  get current() { return this.#now?.panel.id ?? ""; }

  /** Id of the one whose button in the bar is lit; empty: none is. */
  get #lit() { return this.#now?.panel.within ?? this.current; }

  /** Those that a key opens now. @returns {{ key: string, title: string }[]} */
  get keyed() {
    return [...this.#panels.values()].filter(({ key, shown }) => key && (shown?.() ?? true))
      .map(({ key = "", title }) => ({ key, title }));
  }

  /** @param {Panel} panel */
  add(panel) {
    this.#panels.set(panel.id, panel);
    this.refresh();
  }

  /** @param {string} id @returns {boolean} whether its part is there */
  has(id) { return this.#panels.has(id); }

  /** Which buttons are there may have changed. */
  refresh() {
    const there = [...this.#panels.values()].filter(({ hidden, shown }) => !hidden && (shown?.() ?? true));
    fill(this.#bar, there.map((panel) => h("button", {
      type: "button", title: panel.key ? `${panel.title} (${panel.key.toUpperCase()})` : panel.title,
      "aria-label": panel.title, "aria-expanded": String(this.#lit === panel.id), data: { panel: panel.id },
      on: { click: () => (this.#lit === panel.id ? this.close() : this.open(panel.id)) },
    }, icon(panel.icon), h("span", {}, panel.title))));
  }

  /** @param {string} key of a keydown that nothing else took @returns {boolean} whether it was a panel's */
  pressed(key) {
    for (const { id, key: own, shown } of this.#panels.values()) {
      if (own !== key.toLowerCase() || !(shown?.() ?? true)) continue;
      this.toggle(id);
      return true;
    }
    return false;
  }

  /** @param {string} id @param {any} [about] what it is to show */
  open(id, about = null) {
    const panel = this.#panels.get(id);
    if (!panel) throw new RangeError(`expected a panel, got "${id}"`);
    const from = this.#now?.from ?? whereFrom();
    this.#end();
    this.#panel.hidden = false;
    this.#panel.className = `panel ${panel.wide ? "wide" : ""} panel-${id}`;
    this.#heading.textContent = panel.title;
    fill(this.#root);
    this.#root.scrollTop = 0;
    this.#now = { panel, opened: undefined, from };
    const opened = this.#now.opened = panel.open(this.#root, about);
    if (opened?.title) this.#heading.textContent = opened.title;
    this.#heading.focus({ preventScroll: true });
    this.refresh();
    this.emit("opened", { id });
  }

  /** @param {string} id */
  toggle(id) {
    if (this.current === id) this.close();
    else this.open(id);
  }

  close() {
    if (!this.#now) return;
    const { from, panel } = this.#now;
    this.#end();
    this.#panel.hidden = true;
    this.refresh();
    const button = this.#bar.querySelector(`[data-panel="${panel.within ?? panel.id}"]`);
    const back = from?.isConnected && from !== document.body ? from : button;
    /** @type {HTMLElement | null} */ (back)?.focus({ preventScroll: true });
  }

  #end() {
    const now = this.#now;
    this.#now = null;
    now?.opened?.close?.();
    if (now) this.emit("closed", { id: now.panel.id });
  }
}

/** Where the keyboard goes back to: who goes by keys to where they were, who clicked to the picture, where keys walk. @returns {Element | null} */
function whereFrom() {
  const { activeElement } = document;
  return activeElement?.matches(":focus-visible") ? activeElement : document.getElementById("stage");
}
