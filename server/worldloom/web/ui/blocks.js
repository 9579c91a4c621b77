/** Whom you have blocked or muted: the server tells, and forgets guests; of those this browser keeps the names. */
import { Emitter } from "worldloom/emitter.js";
import { BlockReach } from "worldloom";
import { GUEST_BIT } from "worldloom/units.js";

/** @typedef {import("worldloom/results.js").Blocked} Blocked */

/** @param {number} you @returns {string} under which name blocks are kept */
const keyOf = (you) => `blocked:${you}`;

/**
 * Whoever becomes known by a name goes on with whom they blocked as a guest.
 *
 * @param {import("../app/settings.js").Settings} settings
 * @param {number} before the guest's avatar id
 * @param {import("worldloom").World} world of the new account, connected
 */
export async function handOver(settings, before, world) {
  const all = /** @type {Blocked[]} */ (settings.recall(keyOf(before)) ?? []);
  for (const { avatar, reach } of all) await world.block(avatar, { reach }).catch(() => {});
  const you = world.welcome?.you ?? 0;
  if (all.length) settings.keep(keyOf(you), all);
}

/** Event: `changed` {}. */
export class Blocks extends Emitter {
  #app;
  #key;
  /** @type {Map<number, Blocked>} */
  #all = new Map();

  /** @param {import("../app/app.js").App} app */
  constructor(app) {
    super();
    this.#app = app;
    this.#key = keyOf(app.world.welcome?.you ?? 0);
    for (const one of app.settings.recall(this.#key) ?? []) this.#all.set(one.avatar, one);
    app.world.on("resumed", () => this.#renew());
    this.#renew();
  }

  /** What the server tells is so. It forgets a block of a guest, or by one, with the session: that is said again. */
  async #renew() {
    const { world } = this.#app;
    const you = world.welcome?.you ?? GUEST_BIT;
    const before = this.list();
    try {
      const told = await world.blocked();
      for (const one of told) this.#all.set(one.avatar, one);
      for (const one of before.filter(({ avatar }) => !told.some((other) => other.avatar === avatar))) {
        // Between accounts it was taken back elsewhere; and who has a guest's number now may be another.
        const lasts = one.avatar < GUEST_BIT && you < GUEST_BIT;
        const isStill = !lasts && (await world.whoIs(one.avatar))?.name === one.name;
        if (isStill) await this.block(one, one.reach);
        else this.#all.delete(one.avatar);
      }
    } catch {
      // The next session tries again.
    }
    this.#changed();
  }

  /** @returns {Blocked[]} */
  list() { return [...this.#all.values()]; }

  /** @param {number} avatar @returns {Blocked | undefined} */
  get(avatar) { return this.#all.get(avatar); }

  /** @param {{ avatar: number, name: string }} who @param {number} [reach] @returns {Promise<void>} */
  async block({ avatar, name }, reach = BlockReach.ALL) {
    await this.#app.world.block(avatar, { reach });
    this.#all.set(avatar, { avatar, name, reach });
    this.#changed();
  }

  /** @param {number} avatar @returns {Promise<void>} */
  async unblock(avatar) {
    try {
      await this.#app.world.unblock(avatar);
    } catch (error) {
      // A guest who has left is nobody to unblock.
      if (/** @type {any} */ (error).code !== "not_found") throw error;
    }
    this.#all.delete(avatar);
    this.#changed();
  }

  #changed() {
    const all = this.list();
    this.#app.settings.keep(this.#key, all.length ? all : null);
    this.emit("changed", {});
  }
}
