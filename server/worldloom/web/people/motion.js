/** What each body's limbs do now: gaits go on with the way, and one gesture flows into the next. Makes no garbage. */
import { JOINTS, pose, stride } from "./postures.js";

const BLEND_S = 0.32;

export class Motion {
  angles;
  #wanted = new Float32Array(JOINTS);
  #phase;
  #since;
  #gesture;
  #clock;

  /** @param {number} capacity */
  constructor(capacity) {
    this.angles = new Float32Array(capacity * JOINTS);
    this.#phase = new Float32Array(capacity);
    this.#since = new Float32Array(capacity);
    this.#gesture = new Uint8Array(capacity);
    this.#clock = new Float32Array(capacity);
  }

  /** Somebody is new in this slot. @param {number} slot @param {number} seed from 0 up to 1: no two breathe alike */
  start(slot, seed) {
    this.#phase[slot] = seed;
    this.#clock[slot] = seed * 40;
    this.#since[slot] = BLEND_S;
    this.#gesture[slot] = 0;
    this.angles.fill(0, slot * JOINTS, (slot + 1) * JOINTS);
  }

  /** @param {number} slot @param {number} gesture @param {number} speed metres a second @param {number} dt seconds */
  step(slot, gesture, speed, dt) {
    this.#clock[slot] += dt;
    this.#phase[slot] = (this.#phase[slot] + (speed * dt) / stride(speed)) % 1;
    if (this.#gesture[slot] !== gesture) {
      this.#gesture[slot] = gesture;
      this.#since[slot] = 0;
    }
    const rest = BLEND_S - this.#since[slot];
    this.#since[slot] = Math.min(this.#since[slot] + dt, BLEND_S);
    const { angles } = this;
    const at = slot * JOINTS;
    const share = rest > dt ? dt / rest : 1;
    if (share === 1) {
      pose(angles, at, gesture, speed, this.#phase[slot], this.#clock[slot]);
      return;
    }
    pose(this.#wanted, 0, gesture, speed, this.#phase[slot], this.#clock[slot]);
    for (let joint = 0; joint < JOINTS; joint++) angles[at + joint] += (this.#wanted[joint] - angles[at + joint]) * share;
  }
}
