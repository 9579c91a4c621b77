/** What stands on the ground: which of it is drawn, how finely, and up to where. */
import { REGION_M, ThingKind } from "worldloom/tiles.js";
import { airOf } from "./air.js";
import { Crowd } from "./crowd.js";
import { Grass } from "./grass.js";
import { MODELS } from "./plants.js";
import { qualityOf } from "./quality.js";
import { Slices } from "./slices.js";
import { standsOf } from "./stands.js";

/** Metres that one may go before it is looked anew what is near; what is drawn reaches so much further. */
const STRIDE_M = 14;
/** Things looked at between two looks at the clock. */
const PORTION = 1_500;

const { ROCK, DEADWOOD, REED, TUFT, FLOWERS, BUSH } = ThingKind;
/** How far they are drawn, by share of what the quality gives to trees, or to what is small. */
const REACH = /** @type {Record<number, { of: "far" | "small", share: number }>} */ ({
  [BUSH]: { of: "far", share: 0.4 }, [ROCK]: { of: "far", share: 0.5 }, [DEADWOOD]: { of: "small", share: 1.6 },
  [REED]: { of: "small", share: 1.6 }, [TUFT]: { of: "small", share: 1 }, [FLOWERS]: { of: "small", share: 1 },
});
const BARE = new Set([ROCK, DEADWOOD]);
/** With crowns of leaves. */
const LEAFY = new Set([ThingKind.BROADLEAF, ThingKind.BIRCH, BUSH, ThingKind.CONIFER]);

/**
 * @typedef {import("worldloom/tiles.js").Tile} Tile
 * @typedef {import("./stands.js").Stand} Stand
 * @typedef {{ kind: number, fine: Crowd, simple?: Crowd, swap: number, reach: number }} Species swap: metres from
 *   which the simple shape is drawn. reach: metres up to which there is any
 */

class Things {
  #app;
  #work = new Slices();
  #species;
  #stands = /** @type {WeakMap<Tile, Map<number, Stand>>} */ (new WeakMap());
  #at = { x: Infinity, y: 0, z: Infinity };
  #stale = true;

  /** @param {import("../app/app.js").App} app */
  constructor(app) {
    this.#app = app;
    const air = airOf(app).uniforms;
    this.#species = Object.entries(MODELS).map(([key, { fine, simple }]) => {
      const kind = Number(key);
      const look = { small: kind in REACH, leafy: !BARE.has(kind) };
      return /** @type {Species} */ ({
        kind, fine: new Crowd(fine(), air, look), simple: simple && new Crowd(simple(), air, look), swap: 0, reach: 0,
      });
    });
    for (const { mesh } of this.#crowds()) app.drawn.scene.add(mesh);
    for (const kind of ["come", "changed", "go"]) app.tiles.on(kind, () => { this.#stale = true; });
    app.settings.on("changed", ({ name }) => { if (name === "quality" || name === "view") this.#set(); });
    this.#set();
  }

  /** Whether all is drawn that is to be. */
  get idle() { return this.#work.idle && !this.#stale; }

  frame() {
    const { x, y, z } = this.#app.drawn.camera.position;
    const gone = Math.hypot(x - this.#at.x, y - this.#at.y, z - this.#at.z) > STRIDE_M;
    if (this.#work.idle && (gone || this.#stale)) {
      this.#stale = false;
      this.#at = { x, y, z };
      this.#work.put("fill", () => 0, () => this.#fill());
    }
    this.#work.run();
  }

  dispose() {
    for (const crowd of this.#crowds()) {
      this.#app.drawn.scene.remove(crowd.mesh);
      crowd.dispose();
    }
  }

  /** @returns {Crowd[]} */
  #crowds() {
    return this.#species.flatMap(({ fine, simple }) => (simple ? [fine, simple] : [fine]));
  }

  #set() {
    const { trees, far, small, rich } = qualityOf(this.#app);
    const view = REGION_M * (this.#app.settings.get("view") + 0.6);
    for (const one of this.#species) {
      const { of, share } = REACH[one.kind] ?? { of: "far", share: 1 };
      one.reach = Math.min(view, share * (of === "far" ? far : small));
      one.swap = one.simple ? Math.min(trees, one.reach) : one.reach;
      const leafy = rich && LEAFY.has(one.kind);
      one.fine.dress(leafy, one.kind !== ThingKind.CONIFER);
      one.simple?.dress(leafy, false);
      one.fine.range.value = [0, one.swap];
      if (one.simple) one.simple.range.value = [one.swap, one.reach];
    }
    this.#stale = true;
  }

  /** @returns {Generator<void, void, void>} */
  * #fill() {
    const { x, y, z } = this.#at;
    const anchor = { x: REGION_M * Math.floor(x / REGION_M), z: REGION_M * Math.floor(z / REGION_M) };
    for (const crowd of this.#crowds()) crowd.begin();
    for (const tile of [...this.#app.tiles.all()]) {
      if (!this.#stands.has(tile)) {
        this.#stands.set(tile, standsOf(tile));
        yield;
      }
      const stands = /** @type {Map<number, Stand>} */ (this.#stands.get(tile));
      const corner = { x: tile.rx * REGION_M, z: tile.rz * REGION_M };
      const dx = Math.max(corner.x - x, x - corner.x - REGION_M, 0);
      const dz = Math.max(corner.z - z, z - corner.z - REGION_M, 0);
      for (const species of this.#species) {
        const stand = stands.get(species.kind);
        if (!stand || Math.hypot(dx, dz) > species.reach + STRIDE_M) continue;
        yield* this.#gather(species, stand, corner.x - anchor.x, corner.z - anchor.z, {
          x: x - anchor.x, y, z: z - anchor.z,
        });
      }
    }
    for (const crowd of this.#crowds()) crowd.done(anchor.x, anchor.z);
  }

  /**
   * @param {Species} species @param {Stand} stand @param {number} cornerX from the anchor
   * @param {number} cornerZ @param {{ x: number, y: number, z: number }} eye from the anchor
   * @returns {Generator<void, void, void>}
   */
  * #gather({ fine, simple, swap, reach }, { spots, turns, count }, cornerX, cornerZ, eye) {
    // The shader moves the change by up to 7 m.
    const nearer = (swap + STRIDE_M + 8) ** 2;
    const further = Math.max(0, swap - STRIDE_M - 8) ** 2;
    const last = (reach + STRIDE_M + 8) ** 2;
    for (let i = 0, at = 0; i < count; i++, at += 4) {
      if (i % PORTION === PORTION - 1) yield;
      const [x, z] = [cornerX + spots[at], cornerZ + spots[at + 2]];
      const away = (x - eye.x) ** 2 + (spots[at + 1] - eye.y) ** 2 + (z - eye.z) ** 2;
      if (away > last) continue;
      const [yaw, seed, tint] = [turns[at], turns[at + 1], turns[at + 2]];
      if (away < nearer) fine.put(x, spots[at + 1], z, spots[at + 3], yaw, seed, tint);
      if (simple && away > further) simple.put(x, spots[at + 1], z, spots[at + 3], yaw, seed, tint);
    }
  }
}

/** @param {import("../app/app.js").App} app */
export function install(app) {
  const things = new Things(app);
  const grass = new Grass(app);
  app.drawn.add({ name: "things", frame: () => things.frame(), dispose: () => things.dispose() });
  app.drawn.add({ name: "grass", frame: () => grass.frame(), dispose: () => grass.dispose() });
  /** @type {any} */ (app).settled.push(() => things.idle);
}
