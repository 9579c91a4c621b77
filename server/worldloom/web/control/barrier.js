/** Where one cannot go just now: land that is not made yet, and what the server has refused. */
import { CorrectionReason, RegionState } from "worldloom";
import { REGION_M } from "worldloom/tiles.js";

/** Who runs against a wall is not to ask the server ten times a second. */
const HOLDS_MS = 700;
const SAID_AGAIN_MS = 8_000;
/** @type {Record<number, string>} */
const WORDS = {
  [CorrectionReason.EDGE]: "The world ends here.",
  [CorrectionReason.UNWOVEN]: "The land ahead is still being made. A moment.",
  [CorrectionReason.FULL]: "It is full over there: nobody else fits in.",
  [CorrectionReason.PRIVATE]: "This land is private: its owner lets in only some.",
};

export class Barrier {
  #toasts;
  #weaving = /** @type {Set<number>} */ (new Set());
  #until = 0;
  #dx = 0;
  #dz = 0;
  #said = /** @type {Map<number, number>} */ (new Map());

  /** @param {import("../app/app.js").App} app */
  constructor({ world, toasts }) {
    this.#toasts = toasts;
    world.on("region", ({ rx, rz, state }) => {
      if (state === RegionState.WOVEN) this.#weaving.delete(key(rx, rz));
      else this.#weaving.add(key(rx, rz));
      this.#until = 0;
    });
    world.on("resumed", () => this.#weaving.clear());
  }

  /**
   * @param {number} fromX metres
   * @param {number} fromZ
   * @param {number} x
   * @param {number} z
   * @param {number} now
   * @returns {boolean}
   */
  stops(fromX, fromZ, x, z, now) {
    if (now < this.#until && (x - fromX) * this.#dx + (z - fromZ) * this.#dz > 0) return true;
    const there = key(Math.floor(x / REGION_M), Math.floor(z / REGION_M));
    const stops = this.#weaving.has(there) && there !== key(Math.floor(fromX / REGION_M), Math.floor(fromZ / REGION_M));
    if (stops) this.#say(CorrectionReason.UNWOVEN);
    return stops;
  }

  /** @param {number} reason @param {number} dx where it would have gone, in metres from where it is @param {number} dz */
  corrected(reason, dx, dz) {
    if (!(reason in WORDS)) return;
    this.#until = performance.now() + HOLDS_MS;
    this.#dx = dx;
    this.#dz = dz;
    this.#say(reason);
  }

  /** @param {number} reason */
  #say(reason) {
    const now = performance.now();
    // While one leans against it, it is said once.
    const again = now - (this.#said.get(reason) ?? -Infinity) > SAID_AGAIN_MS;
    this.#said.set(reason, now);
    if (again) this.#toasts.tell(WORDS[reason]);
  }
}

/** @param {number} rx @param {number} rz @returns {number} */
function key(rx, rz) {
  return rx * 65536 + rz;
}
