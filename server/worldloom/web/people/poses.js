/**
 * Where to draw each body: between the poses that were told, a little in the past. Pure, and makes no garbage.
 *
 * The server tells of near bodies often and of far ones seldom. So each is drawn as far behind as its own words come
 * apart; one whose words stay out goes on as it went for a moment; and what was guessed wrong is eased away.
 */
import { HORIZONTAL, TURN, VERTICAL } from "worldloom/units.js";
import { mayMove } from "./gestures.js";

/** Poses kept of each, the newest last. */
const KEPT = 4;
/** A pose: tick, x, y, z in metres, yaw in turns without a seam. */
const FIELDS = 5;
const LEAST_BEHIND = 3;
const MOST_BEHIND = 18;
/** Longer than this between two words: it rested before. */
const REST = 20;
/** How far it goes on by itself: 250 ms. */
const MOST_AHEAD = 5;
/** An error of more metres than this is no error: the body was set down elsewhere. */
const MOST_EASED_M = 6;
const EASE_PER_S = 9;
const NO_SLOT = -1;

/** @typedef {import("worldloom").Avatar} Avatar */

export class Poses {
  /** Slots in use are 0 to `size - 1`, and those of nobody have no avatar. */
  size = 0;
  /** @type {(Avatar | null)[]} */
  avatars = [];
  x; y; z;
  /** Turns. */
  yaw;
  /** Metres a second over the ground, smoothed. */
  speed;
  gesture;
  #told;
  #behind;
  #gap;
  #errorX; #errorY; #errorZ;
  #free = /** @type {number[]} */ ([]);
  #sampleX = 0; #sampleY = 0; #sampleZ = 0; #sampleYaw = 0;

  /** @param {number} capacity most bodies */
  constructor(capacity) {
    this.x = new Float64Array(capacity);
    this.y = new Float64Array(capacity);
    this.z = new Float64Array(capacity);
    this.yaw = new Float32Array(capacity);
    this.speed = new Float32Array(capacity);
    this.gesture = new Uint8Array(capacity);
    this.#told = new Float64Array(capacity * KEPT * FIELDS);
    this.#behind = new Float32Array(capacity);
    this.#gap = new Float32Array(capacity);
    this.#errorX = new Float32Array(capacity);
    this.#errorY = new Float32Array(capacity);
    this.#errorZ = new Float32Array(capacity);
  }

  get capacity() { return this.x.length; }

  /** @param {Avatar | null} avatar null: its slot is moved by the caller @returns {number} its slot; -1: no room */
  add(avatar) {
    const slot = this.#free.pop() ?? (this.size < this.capacity ? this.size++ : NO_SLOT);
    if (slot === NO_SLOT) return slot;
    this.avatars[slot] = avatar;
    this.#behind[slot] = LEAST_BEHIND;
    this.#gap[slot] = 2;
    this.#errorX[slot] = this.#errorY[slot] = this.#errorZ[slot] = this.speed[slot] = 0;
    if (!avatar) return slot;
    this.gesture[slot] = avatar.gesture;
    const { tick, x, y, z, yaw } = avatar.pose;
    for (let kept = 0; kept < KEPT; kept++) {
      this.#write(slot, kept, tick - KEPT + 1 + kept, x / HORIZONTAL, y / VERTICAL, z / HORIZONTAL, yaw / TURN);
    }
    this.#sample(slot, tick);
    this.#draw(slot);
    return slot;
  }

  /** @param {number} slot */
  remove(slot) {
    this.avatars[slot] = null;
    this.#free.push(slot);
  }

  /**
   * @param {number} tick world time, with a fraction
   * @param {number} dt seconds since the last call
   */
  update(tick, dt) {
    const stays = Math.exp(-EASE_PER_S * dt);
    const slide = 0.2 * dt * 20;
    const settles = Math.min(1, dt * 10);
    for (let slot = 0; slot < this.size; slot++) {
      const avatar = this.avatars[slot];
      if (!avatar) continue;
      const wanted = Math.min(Math.max(this.#gap[slot] + 1, LEAST_BEHIND), MOST_BEHIND) - this.#behind[slot];
      this.#behind[slot] += Math.min(Math.max(wanted, -slide), slide);
      const then = tick - this.#behind[slot];
      if (this.#isNew(slot, avatar)) this.#take(slot, avatar, then);
      this.#sample(slot, then);
      this.#errorX[slot] *= stays;
      this.#errorY[slot] *= stays;
      this.#errorZ[slot] *= stays;
      const fromX = this.x[slot];
      const fromZ = this.z[slot];
      this.#draw(slot);
      const speed = dt > 0 ? Math.min(Math.hypot(this.x[slot] - fromX, this.z[slot] - fromZ) / dt, 20) : 0;
      this.speed[slot] += (speed - this.speed[slot]) * settles;
    }
  }

  /** @param {number} slot @param {Avatar} avatar */
  #isNew(slot, { pose, gesture }) {
    const at = (slot * KEPT + KEPT - 1) * FIELDS;
    const told = this.#told;
    return told[at] !== pose.tick || told[at + 1] !== pose.x / HORIZONTAL || told[at + 3] !== pose.z / HORIZONTAL
      || told[at + 2] !== pose.y / VERTICAL || this.gesture[slot] !== gesture;
  }

  /** A word came. @param {number} slot @param {Avatar} avatar @param {number} then the tick that is drawn */
  #take(slot, { pose, gesture }, then) {
    const told = this.#told;
    const first = slot * KEPT * FIELDS;
    const last = first + (KEPT - 1) * FIELDS;
    this.#sample(slot, then);
    const x = this.#sampleX;
    const y = this.#sampleY;
    const z = this.#sampleZ;
    const gap = pose.tick - told[last];
    const before = told[last + 4];
    if (gap > 0) {
      told.copyWithin(first, first + FIELDS, first + KEPT * FIELDS);
      // After a rest the way took as long as its words come apart, not the whole rest.
      if (gap > REST) told[last - FIELDS] = pose.tick - this.#gap[slot];
      else this.#gap[slot] = gap > this.#gap[slot] ? gap : this.#gap[slot] * 0.9 + gap * 0.1;
    }
    const turn = pose.yaw / TURN - before;
    const yaw = before + turn - Math.round(turn);
    this.#write(slot, KEPT - 1, pose.tick, pose.x / HORIZONTAL, pose.y / VERTICAL, pose.z / HORIZONTAL, yaw);
    this.gesture[slot] = gesture;
    this.#sample(slot, then);
    const errorX = this.#errorX[slot] + x - this.#sampleX;
    const errorY = this.#errorY[slot] + y - this.#sampleY;
    const errorZ = this.#errorZ[slot] + z - this.#sampleZ;
    const eased = Math.hypot(errorX, errorY, errorZ) < MOST_EASED_M;
    this.#errorX[slot] = eased ? errorX : 0;
    this.#errorY[slot] = eased ? errorY : 0;
    this.#errorZ[slot] = eased ? errorZ : 0;
  }

  /** @param {number} slot @param {number} kept @param {number} tick @param {number} x @param {number} y @param {number} z @param {number} yaw */
  #write(slot, kept, tick, x, y, z, yaw) {
    const at = (slot * KEPT + kept) * FIELDS;
    const told = this.#told;
    told[at] = tick;
    told[at + 1] = x;
    told[at + 2] = y;
    told[at + 3] = z;
    told[at + 4] = yaw;
  }

  /** Where it was by its words. @param {number} slot @param {number} then a tick */
  #sample(slot, then) {
    const told = this.#told;
    const first = slot * KEPT * FIELDS;
    let to = first + (KEPT - 1) * FIELDS;
    while (to > first + FIELDS && then < told[to - FIELDS]) to -= FIELDS;
    const from = to - FIELDS;
    const span = told[to] - told[from];
    const ahead = this.#ahead(slot, then - told[to]);
    const part = span > 0 ? (Math.min(Math.max(then - told[from], 0), span) + ahead) / span : 1;
    this.#sampleX = told[from + 1] + part * (told[to + 1] - told[from + 1]);
    this.#sampleY = told[from + 2] + part * (told[to + 2] - told[from + 2]);
    this.#sampleZ = told[from + 3] + part * (told[to + 3] - told[from + 3]);
    this.#sampleYaw = told[from + 4] + Math.min(part, 1) * (told[to + 4] - told[from + 4]);
  }

  /**
   * Who stands stays; who walks goes on a little, and comes back where no word came of it.
   *
   * @param {number} slot
   * @param {number} late ticks since its last word
   * @returns {number} ticks
   */
  #ahead(slot, late) {
    if (late <= 0 || late >= 2 * MOST_AHEAD || !mayMove(this.gesture[slot])) return 0;
    return late < MOST_AHEAD ? late : 2 * MOST_AHEAD - late;
  }

  /** @param {number} slot */
  #draw(slot) {
    this.x[slot] = this.#sampleX + this.#errorX[slot];
    this.y[slot] = this.#sampleY + this.#errorY[slot];
    this.z[slot] = this.#sampleZ + this.#errorZ[slot];
    this.yaw[slot] = this.#sampleYaw;
  }
}
