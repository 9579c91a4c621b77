/** What this browser keeps: what the person chose, and by what it comes back. */
import { Emitter } from "worldloom/emitter.js";

/**
 * @typedef {{ name: string, title: string, hint?: string, group: "picture" | "sound" | "comfort" | "keys", initial: any,
 *   kind: "switch" | "range" | "choice", from?: number, to?: number, step?: number, choices?: Record<string, string> }}
 *   Setting of a range from, to and step are numbers; of a choice, choices are titles by value
 */

const PREFIX = "worldloom:";

/** Event: `changed` {name, value}. */
export class Settings extends Emitter {
  /** All that were defined, in that order. @type {Map<string, Setting>} */
  defined = new Map();
  #store;
  #values = /** @type {Map<string, any>} */ (new Map());

  /** @param {Storage | null} store where they are kept; null: nowhere */
  constructor(store) {
    super();
    this.#store = store;
  }

  /** Each part defines its own; the settings panel shows all of them. @param {Setting} setting */
  define(setting) {
    this.defined.set(setting.name, setting);
    const kept = this.recall(setting.name);
    this.#values.set(setting.name, isOne(setting, kept) ? kept : setting.initial);
  }

  /** @param {string} name of one that was defined */
  get(name) {
    if (!this.#values.has(name)) throw new RangeError(`expected a setting, got "${name}"`);
    return this.#values.get(name);
  }

  /** @param {string} name @param {any} value */
  set(name, value) {
    const setting = this.defined.get(name);
    if (!setting || !isOne(setting, value)) throw new RangeError(`"${name}" cannot be ${JSON.stringify(value)}`);
    this.#values.set(name, value);
    this.keep(name, value);
    this.emit("changed", { name, value });
  }

  /** What is no setting: a token, a map that was seen. @param {string} name @param {any} value JSON; null: forget it */
  keep(name, value) {
    try {
      if (value === null) this.#store?.removeItem(PREFIX + name);
      else this.#store?.setItem(PREFIX + name, JSON.stringify(value));
    } catch {
      // A full or forbidden store: it is as good as a new visitor's.
    }
  }

  /** @param {string} name @returns {any} null: nothing was kept */
  recall(name) {
    try {
      return JSON.parse(this.#store?.getItem(PREFIX + name) ?? "null");
    } catch {
      return null;
    }
  }
}

/** @param {Setting} setting @param {any} value */
function isOne({ kind, from = -Infinity, to = Infinity, choices = {} }, value) {
  if (kind === "switch") return typeof value === "boolean";
  if (kind === "range") return typeof value === "number" && value >= from && value <= to;
  return typeof value === "string" && value in choices;
}
