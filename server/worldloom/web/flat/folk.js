/** People in view where no picture of them is drawn: `app.people` of a flat world. */
import { Emitter } from "worldloom/emitter.js";

const ASK_MS = 1_000;
const ASKED_AT_ONCE = 16;

/** @typedef {import("../app/app.js").People} People */

/** @implements {People} */
export class Folk extends Emitter {
  #world;
  #persons = /** @type {Map<number, import("worldloom/names.js").Person>} */ (new Map());
  #asked = /** @type {Set<number>} */ (new Set());

  /** @param {import("worldloom").World} world */
  constructor(world) {
    super();
    this.#world = world;
    world.on("entered", () => this.emit("changed", {}));
    world.on("left", ({ avatar }) => {
      this.#persons.delete(avatar.id);
      this.#asked.delete(avatar.id);
      this.emit("changed", {});
    });
    setInterval(() => this.#ask(), ASK_MS);
    this.#ask();
  }

  /** @returns {import("../app/app.js").Somebody[]} */
  list() {
    return this.#world.avatars.map((avatar) => this.#somebody(avatar)).sort((a, b) => a.distance - b.distance);
  }

  /** @param {number} id @returns {import("../app/app.js").Somebody | undefined} */
  get(id) {
    const avatar = this.#world.mirror.avatars.get(id);
    return avatar && id !== this.#world.welcome?.you ? this.#somebody(avatar) : undefined;
  }

  /** There is no head to hang it over: the chat has it. */
  bubble() {}

  /** Nobody stands in a line of sight where nothing is seen from the side. */
  pick() { return undefined; }

  /** @param {import("worldloom").Avatar} avatar */
  #somebody({ id, x, y, z }) {
    const me = this.#world.me;
    const { name = "", kind = "", of = "" } = this.#persons.get(id) ?? {};
    return { avatar: id, name, kind, of, distance: Math.hypot(x - me.x, z - me.z), x, y, z };
  }

  #ask() {
    const unknown = this.list().filter(({ avatar }) => !this.#persons.has(avatar) && !this.#asked.has(avatar));
    for (const { avatar } of unknown.slice(0, ASKED_AT_ONCE)) {
      this.#asked.add(avatar);
      this.#world.whoIs(avatar).then((person) => {
        if (!person || !this.#world.mirror.avatars.has(avatar)) return;
        this.#persons.set(avatar, person);
        this.emit("changed", {});
      }, () => this.#asked.delete(avatar));
    }
  }
}
