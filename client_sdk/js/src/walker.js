/**
 * Your own body: where it is, where it shall go, and the Moves between. Pure: the caller gives the time and sends.
 *
 * Inside, all is in units of the wire.
 */
import { packMove } from "./messages.js";
import { CorrectionReason, Gesture, HORIZONTAL, ON_GROUND, VERTICAL } from "./units.js";

/** Moves a second while walking. */
const RATE = 10;
/** Of the server's limits; the rest is room for clocks and networks. */
const SHARE = 0.9;
const MOST_SAVED_S = 0.5;
const RUN_FROM = 3 * HORIZONTAL;
/** To try again where land was not made, if no Region message comes. */
const UNWOVEN_MS = 3000;
const MOST_CORRECTIONS = 20;

/**
 * @typedef {{
 *   x: number, z: number, y: number | null, yaw: number | null, gesture: number | null, speed: number,
 * }} Aim y null: on the ground. yaw null: the way it walks. gesture null: walk or run. speed: 1/64 m a second
 * @typedef {{ bytes: Uint8Array | null, arrived: boolean }} Step bytes: the state of a Move, to be sent now
 */

export class Walker {
  x = 0;
  z = 0;
  y = 0;
  yaw = 0;
  /** @type {number} */
  gesture = Gesture.STAND;
  /** Whether y is left to the server. */
  onGround = true;
  #limits = { speed: 0, climb: 0, moves_per_s: RATE };
  #aim = /** @type {Aim | null} */ (null);
  #seq = 0;
  #last = -Infinity;
  #far = 0;
  #high = 0;
  #pace = 0;
  #fresh = true;
  #waitUntil = -Infinity;
  #corrections = 0;
  #sent = "";

  /**
   * A new connection: the body is where Welcome says.
   *
   * @param {{ x: number, z: number, y: number, yaw: number,
   *   limits: { speed: number, climb: number, moves_per_s: number } }} welcome
   * @param {number} now
   */
  start({ x, z, y, yaw, limits }, now) {
    Object.assign(this, { x, z, y, yaw });
    this.#limits = limits;
    this.#seq = 0;
    this.#last = now;
    this.#far = this.#high = this.#pace = 0;
    this.#waitUntil = -Infinity;
    this.#corrections = 0;
    this.#sent = "";
  }

  /** @param {Aim} aim replaces the one before */
  aim(aim) {
    this.#fresh ||= this.#aim === null;
    this.#aim = aim;
    this.#corrections = 0;
  }

  /** Go nowhere, and tell nothing. */
  forget() {
    this.#aim = null;
  }

  /** Stay here. */
  stop() {
    const y = this.onGround ? null : this.y;
    this.aim({ x: this.x, z: this.z, y, yaw: this.yaw, gesture: Gesture.STAND, speed: 0 });
  }

  get busy() {
    return this.#aim !== null;
  }

  /** Highest speed that is kept to, 1/64 m a second. */
  get topSpeed() {
    return this.#limits.speed * SHARE;
  }

  /**
   * @param {number} now
   * @returns {Step}
   */
  step(now) {
    const aim = this.#aim;
    const gap = 1000 / Math.max(1, Math.min(RATE, this.#limits.moves_per_s));
    if (!aim || now < this.#waitUntil || now - this.#last < gap - 5) return { bytes: null, arrived: false };
    const seconds = Math.min((now - this.#last) / 1000, MOST_SAVED_S);
    this.#last = now;
    this.#far = Math.min(this.#far + this.topSpeed * seconds, this.topSpeed * MOST_SAVED_S);
    const climb = this.#limits.climb * SHARE;
    this.#high = Math.min(this.#high + climb * seconds, climb * MOST_SAVED_S);

    // Who stood still before has not saved up a leap.
    const paced = this.#fresh ? Math.min(seconds, gap / 1000) : seconds;
    this.#pace = Math.min((this.#fresh ? 0 : this.#pace) + aim.speed * paced, aim.speed * MOST_SAVED_S + 1);
    this.#fresh = false;

    const dx = aim.x - this.x;
    const dz = aim.z - this.z;
    const moved = this.#go(dx, dz, Math.min(this.#far, this.#pace));
    this.#far -= moved;
    if (moved) this.#pace -= moved;
    const level = this.#climb(aim.y);
    if (aim.yaw !== null) this.yaw = aim.yaw;
    else if (moved) this.yaw = Math.round((Math.atan2(dx, dz) / (2 * Math.PI)) * 256) & 255;
    const there = this.x === aim.x && this.z === aim.z && level;
    // The last step still shows the walk; the one after it stands.
    const arrived = there && (moved === 0 || aim.gesture !== null);
    const pace = moved >= RUN_FROM * seconds ? Gesture.RUN : Gesture.WALK;
    this.gesture = aim.gesture ?? (arrived ? Gesture.STAND : pace);
    if (arrived) this.#aim = null;
    return { bytes: this.#pack(), arrived };
  }

  /**
   * @param {{ x: number, z: number, y: number, yaw: number, reason: number }} correction
   * @param {number} now
   * @returns {boolean} whether the way goes on
   */
  correct({ x, z, y, yaw, reason }, now) {
    Object.assign(this, { x, z, y, yaw });
    this.#sent = "";
    // What the server has of our allowance is not known here: begin with none.
    this.#far = this.#high = 0;
    this.#last = now;
    const goesOn = reason === CorrectionReason.SPEED || reason === CorrectionReason.CLIMB
      || reason === CorrectionReason.UNWOVEN;
    if (reason === CorrectionReason.UNWOVEN) this.#waitUntil = now + UNWOVEN_MS;
    else this.#corrections++;
    if (goesOn && this.#corrections < MOST_CORRECTIONS) return this.#aim !== null;
    this.#aim = null;
    this.gesture = Gesture.STAND;
    return false;
  }

  /**
   * After a correction: moves that were on their way may have been granted from there. This one says where we are.
   *
   * @param {{ seq: number, reason: number }} correction
   * @returns {Uint8Array | null} null: it was the last move
   */
  confirm({ seq, reason }) {
    // That of a body that was set down says nothing.
    const isLast = reason === CorrectionReason.PLACED ? this.#seq === 0 : seq >= this.#seq;
    return isLast ? null : this.#pack();
  }

  /** Land was made: go on at once. */
  woven() {
    this.#waitUntil = -Infinity;
  }

  /** @param {number} dx @param {number} dz @param {number} most @returns {number} the way taken */
  #go(dx, dz, most) {
    const distance = Math.hypot(dx, dz);
    const part = distance > most ? most / distance : 1;
    const stepX = Math.trunc(dx * part);
    const stepZ = Math.trunc(dz * part);
    this.x += stepX;
    this.z += stepZ;
    return Math.hypot(stepX, stepZ);
  }

  /** @param {number | null} target @returns {boolean} whether that height is reached */
  #climb(target) {
    this.onGround = target === null;
    if (target === null) return true;
    const way = target - this.y;
    const step = Math.min(Math.abs(way), Math.floor(this.#high));
    this.y += Math.sign(way) * step;
    this.#high -= step;
    return this.y === target;
  }

  /** @returns {Uint8Array | null} null: nothing has changed */
  #pack() {
    const { x, z, yaw, gesture } = this;
    const y = this.onGround ? ON_GROUND : this.y;
    const key = `${x},${z},${y},${yaw},${gesture}`;
    if (key === this.#sent) return null;
    this.#sent = key;
    return packMove({ seq: ++this.#seq, x, z, y, yaw, gesture });
  }
}

/**
 * @param {{ x: number, z: number, y?: number | null }} place metres
 * @returns {{ x: number, z: number, y: number | null }} units of the wire
 */
export function toWire({ x, z, y = null }) {
  for (const value of [x, z, y ?? 0]) {
    if (!Number.isFinite(value)) throw new RangeError(`expected a finite place in metres, got ${value}`);
  }
  const far = 0x7fffffff;
  /** @param {number} value @param {number} most */
  const bound = (value, most) => Math.max(-most, Math.min(most, Math.round(value)));
  return {
    x: bound(x * HORIZONTAL, far),
    z: bound(z * HORIZONTAL, far),
    y: y === null ? null : bound(y * VERTICAL, 32767),
  };
}
