/** Who is in view: a slot for each, the looks, and the names of those near enough to be told apart. */
import { Emitter } from "worldloom/emitter.js";
import { lookOf, mixed } from "./looks.js";
import { Motion } from "./motion.js";
import { Poses } from "./poses.js";

const CAPACITY = 4096;
/** Your own body's slot. */
export const ME = 0;
/** Names are asked of those within that. */
const NAMES_M = 60;
const ASKED_AT_ONCE = 32;
/** Nobody told who that is: not again before. */
const AGAIN_MS = 15_000;

/** @typedef {import("worldloom/names.js").Person} Person */

/** Event: `changed` {}: who is there, or a name. */
export class Roster extends Emitter {
  poses = new Poses(CAPACITY);
  motion = new Motion(CAPACITY);
  /** Four colours each. */
  looks = new Float32Array(CAPACITY * 4);
  bodies = new Uint8Array(CAPACITY);
  /** Metres from the eye, as of the last frame. */
  distance = new Float32Array(CAPACITY).fill(Infinity);
  #slots = /** @type {Map<number, number>} */ (new Map());
  #persons = /** @type {Map<number, Person>} */ (new Map());
  #asked = /** @type {Map<number, number>} */ (new Map());
  #world;
  #told = false;

  /** @param {import("worldloom").World} world */
  constructor(world) {
    super();
    this.#world = world;
    this.poses.add(null);
    this.#begin(ME, world.welcome?.you ?? 0);
    for (const avatar of world.avatars) this.#enter(avatar);
    world.on("entered", ({ avatar }) => this.#enter(avatar));
    world.on("left", ({ avatar }) => this.#leave(avatar.id));
    world.on("resumed", ({ same }) => { if (!same) this.#begin(ME, world.welcome?.you ?? 0); });
    world.on("look", ({ avatar, look }) => this.dress(avatar, look));
  }

  /** @param {number} avatar its id @returns {number | undefined} */
  slot(avatar) {
    return avatar === this.#world.welcome?.you ? ME : this.#slots.get(avatar);
  }

  /** @param {number} avatar @returns {Person | undefined} */
  person(avatar) {
    return this.#persons.get(avatar);
  }

  /** Asks who the near ones are. @param {Int32Array} near slots, nearest first @param {number} count */
  ask(near, count) {
    const now = performance.now();
    let asked = 0;
    for (let i = 0; i < count && asked < ASKED_AT_ONCE; i++) {
      const id = this.poses.avatars[near[i]]?.id;
      if (!id || this.distance[near[i]] > NAMES_M || this.#persons.has(id) || (this.#asked.get(id) ?? 0) > now) continue;
      this.#asked.set(id, now + AGAIN_MS);
      asked++;
      // Not connected, or too many at once: they are asked again later.
      this.#world.whoIs(id).then((person) => person && this.#learn(id, person), () => {});
    }
  }

  /** Once, at the end of a frame. */
  tell() {
    if (!this.#told) return;
    this.#told = false;
    this.emit("changed", {});
  }

  /** @param {import("worldloom").Avatar} avatar */
  #enter(avatar) {
    const slot = this.#slots.get(avatar.id) ?? this.poses.add(avatar);
    if (slot < 0) return;
    this.#slots.set(avatar.id, slot);
    this.#begin(slot, avatar.id);
    this.#told = true;
  }

  /** @param {number} id */
  #leave(id) {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#slots.delete(id);
    this.#persons.delete(id);
    this.#asked.delete(id);
    this.poses.remove(slot);
    this.distance[slot] = Infinity;
    this.#told = true;
  }

  /** @param {number} slot @param {number} id */
  #begin(slot, id) {
    this.motion.start(slot, mixed(id) / 2 ** 32);
    this.#wear(slot, lookOf(this.#world.knownPerson(id), id));
  }

  /** @param {number} id @param {Person} person */
  #learn(id, person) {
    const slot = this.#slots.get(id);
    // It may have gone while the answer came.
    if (slot === undefined) return;
    this.#persons.set(id, person);
    this.#wear(slot, lookOf(person, id));
    this.#told = true;
  }

  /** Somebody looks another way. @param {number} id @param {import("./looks.js").Choice} look */
  dress(id, look) {
    const slot = this.slot(id);
    const person = this.#persons.get(id);
    if (person) person.look = look;
    if (slot !== undefined) this.#wear(slot, lookOf({ look }, id));
  }

  /** @param {number} slot @param {import("./looks.js").Look} look */
  #wear(slot, { body, skin, hair, top, legs }) {
    this.bodies[slot] = body;
    this.looks[slot * 4] = skin;
    this.looks[slot * 4 + 1] = hair;
    this.looks[slot * 4 + 2] = top;
    this.looks[slot * 4 + 3] = legs;
  }
}
