/** Grass about your feet, beyond what tiles tell of: it grows where the ground is green, always the same. */
import { REGION_M, Surface, groundHeight } from "worldloom/tiles.js";
import { airOf } from "./air.js";
import { Crowd } from "./crowd.js";
import { hash } from "./noise.js";
import { tuft } from "./plants.js";
import { qualityOf } from "./quality.js";
import { Slices } from "./slices.js";

/** Metres that one may go before it grows anew. */
const STRIDE_M = 5;
const REACH_M = 30;
/** One tuft or none to so many metres square. */
const PLOT_M = 0.8;
/** By surface class: how much of it grows, how high, and its tint. 0 to 1 */
const GROWTH = /** @type {Record<number, [number, number, number]>} */ ({
  [Surface.GRASS]: [0.75, 0.7, 0.5], [Surface.MEADOW]: [1, 1, 0.3], [Surface.HEATH]: [0.5, 0.6, 1],
  [Surface.FOREST]: [0.22, 0.6, 0.15], [Surface.MARSH]: [0.7, 1, 0.6],
});
/** Lower than this the sea comes. */
const STRAND_M = 0.9;

export class Grass {
  crowd;
  #app;
  #work = new Slices();
  #at = { x: Infinity, z: Infinity };

  /** @param {import("../app/app.js").App} app */
  constructor(app) {
    this.#app = app;
    this.crowd = new Crowd(tuft(6), airOf(app).uniforms, { small: true, leafy: true });
    this.crowd.range.value = [0, REACH_M];
    app.drawn.scene.add(this.crowd.mesh);
    const anew = () => { this.#at = { x: Infinity, z: Infinity }; };
    for (const kind of ["come", "changed"]) app.tiles.on(kind, anew);
    app.settings.on("changed", ({ name }) => { if (name === "quality") anew(); });
  }

  frame() {
    const { x, z } = this.#app.drawn.camera.position;
    if (this.#work.idle && Math.hypot(x - this.#at.x, z - this.#at.z) > STRIDE_M) {
      this.#at = { x, z };
      this.#work.put("grow", () => 0, () => this.#grow(x, z));
    }
    this.#work.run();
  }

  dispose() {
    this.#app.drawn.scene.remove(this.crowd.mesh);
    this.crowd.dispose();
  }

  /** @param {number} x metres @param {number} z @returns {Generator<void, void, void>} */
  * #grow(x, z) {
    const share = qualityOf(this.#app).grass;
    const anchor = { x: REGION_M * Math.floor(x / REGION_M), z: REGION_M * Math.floor(z / REGION_M) };
    this.crowd.begin();
    const plots = share ? Math.ceil((REACH_M + STRIDE_M) / PLOT_M) : 0;
    const [px, pz] = [Math.floor(x / PLOT_M), Math.floor(z / PLOT_M)];
    for (let dz = -plots; dz < plots; dz++) {
      if (dz % 8 === 0) yield;
      for (let dx = -plots; dx < plots; dx++) {
        if (dx * dx + dz * dz < plots * plots) this.#sow(px + dx, pz + dz, share, anchor);
      }
    }
    this.crowd.done(anchor.x, anchor.z);
  }

  /** @param {number} px plot @param {number} pz @param {number} share @param {{ x: number, z: number }} anchor */
  #sow(px, pz, share, anchor) {
    const [x, z] = [PLOT_M * (px + hash(px, pz, 11)), PLOT_M * (pz + hash(px, pz, 12))];
    const tile = this.#app.tiles.tile(Math.floor(x / REGION_M), Math.floor(z / REGION_M));
    if (!tile) return;
    const [inX, inZ] = [x - tile.rx * REGION_M, z - tile.rz * REGION_M];
    const grows = GROWTH[tile.surface[Math.floor(inZ / 2) * 128 + Math.floor(inX / 2)]];
    const chance = hash(px, pz, 13);
    if (!grows || chance > grows[0] * share) return;
    const y = groundHeight(tile.heights, inX, inZ);
    if (y < STRAND_M) return;
    const size = grows[1] * (0.55 + 0.75 * hash(px, pz, 14));
    this.crowd.put(x - anchor.x, y, z - anchor.z, size, 256 * hash(px, pz, 15), 256 * chance, 255 * grows[2]);
  }
}
