/** Drives the Walker: sends its Moves in time, and ends walks. */
import { NotSentError, WalkError } from "./errors.js";
import { CorrectionReason, HORIZONTAL, VERTICAL, radiansToYaw } from "./units.js";
import { Walker, toWire } from "./walker.js";

const STEP_MS = 25;
const WALK_SPEED = 1.6;

/**
 * @typedef {{ resolve: () => void, reject: (error: Error) => void }} Walk
 * @typedef {{ x: number, z: number, y?: number | null }} Place metres; y null: on the ground
 */

export class Pilot {
  walker = new Walker();
  #walk = /** @type {Walk | null} */ (null);
  #timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  #running = false;
  #send;
  #ground;

  /**
   * @param {(state: Uint8Array) => void} send
   * @param {(x: number, z: number) => number | undefined} ground its height, where that is known
   */
  constructor(send, ground) {
    this.#send = send;
    this.#ground = ground;
  }

  /** @param {any} welcome */
  start(welcome) {
    this.#running = true;
    // A new session may begin elsewhere: the old way would lead through who knows what.
    if (!welcome.resumed) {
      this.walker.forget();
      this.#end(new WalkError("a new session has begun"));
    }
    this.walker.start(welcome, performance.now());
    this.#step();
  }

  /** The connection is gone. A walk goes on if the session is resumed. */
  pause() {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  /** @param {Error} error */
  close(error) {
    this.pause();
    this.#end(error);
  }

  /** @param {Place & { yaw?: number, gesture?: number }} to */
  move({ yaw, gesture, ...place }) {
    const aim = aimAt(place, Infinity, yaw, gesture);
    this.#end(new WalkError("another move came between"));
    this.#aim(aim);
  }

  /**
   * @param {Place} place
   * @param {number} [speed] m/s
   * @returns {Promise<void>}
   */
  walk(place, speed = WALK_SPEED) {
    return new Promise((resolve, reject) => {
      if (!(speed > 0)) throw new RangeError(`expected a speed above 0, got ${speed}`);
      if (!this.#running) throw new NotSentError("not connected");
      const aim = aimAt(place, speed * HORIZONTAL);
      this.#end(new WalkError("another walk came between"));
      this.#walk = { resolve, reject };
      this.#aim(aim);
    });
  }

  stop() {
    this.#end(new WalkError("stopped"));
    this.walker.stop();
    this.#step();
  }

  /** @param {any} correction */
  correct(correction) {
    const goesOn = this.walker.correct(correction, performance.now());
    const bytes = this.walker.confirm(correction);
    if (bytes) this.#send(bytes);
    if (goesOn) return;
    const name = Object.entries(CorrectionReason).find(([, number]) => number === correction.reason)?.[0] ?? "unknown";
    this.#end(new WalkError(`the server has put the body elsewhere: ${name}`, correction.reason));
  }

  /** Our own word came back: the height of the ground that was left to the server. @param {number} y 1/16 m */
  told(y) {
    if (this.walker.onGround) this.walker.y = y;
  }

  /** Puts a body whose height is left to the server on the ground here, too. */
  settle() {
    const { walker } = this;
    if (!walker.onGround) return;
    const ground = this.#ground(walker.x / HORIZONTAL, walker.z / HORIZONTAL);
    // Over the sea, its surface is the ground.
    if (ground !== undefined) walker.y = Math.round(Math.max(ground, 0) * VERTICAL);
  }

  /** @param {import("./walker.js").Aim} aim */
  #aim(aim) {
    this.walker.aim(aim);
    this.#step();
  }

  #step() {
    clearTimeout(this.#timer);
    const { walker } = this;
    if (!this.#running || !walker.busy) return;
    const { bytes, arrived } = walker.step(performance.now());
    if (bytes) {
      this.#send(bytes);
      this.settle();
    }
    if (walker.busy) this.#timer = setTimeout(() => this.#step(), STEP_MS);
    if (arrived) this.#end(null);
  }

  /** @param {Error | null} error null: it has arrived */
  #end(error) {
    const walk = this.#walk;
    this.#walk = null;
    if (error) walk?.reject(error);
    else walk?.resolve();
  }
}

/**
 * @param {Place} place
 * @param {number} speed
 * @param {number} [yaw] radians
 * @param {number} [gesture]
 * @returns {import("./walker.js").Aim}
 */
function aimAt(place, speed, yaw, gesture) {
  if (gesture !== undefined && !(Number.isInteger(gesture) && gesture >= 0 && gesture <= 63)) {
    throw new RangeError(`expected a gesture from 0 to 63, got ${gesture}`);
  }
  if (yaw !== undefined && !Number.isFinite(yaw)) throw new RangeError(`expected a yaw in radians, got ${yaw}`);
  return { ...toWire(place), speed, yaw: yaw === undefined ? null : radiansToYaw(yaw), gesture: gesture ?? null };
}
