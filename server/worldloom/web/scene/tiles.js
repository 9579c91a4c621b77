/** The tiles around you: which are asked for, which are kept, and who is told. Draws nothing. */
import { Emitter } from "worldloom/emitter.js";
import { REGION_M } from "worldloom/tiles.js";
import { RegionState } from "worldloom/units.js";

/** Asked for at once. */
const MOST_COMING = 4;
/** A tile that is further than the view by so many regions goes: walking to and fro at a border asks for nothing. */
const SLACK = 1;
const LOOK_MS = 400;
/** A tile that could not be had is asked for again after so long, then twice as long, and so on. */
const FIRST_RETRY_MS = 4_000;
const LAST_RETRY_MS = 120_000;

/**
 * @typedef {import("worldloom/tiles.js").Tile} Tile
 * @typedef {"unknown" | "weaving" | "coming" | "here" | "bad"} State what is known of a region
 * @typedef {{ rx: number, rz: number, tile?: Tile, coming: boolean, failures: number, againAt: number,
 *   stale: boolean }} Place one region that was told of. `stale`: what is here is to be asked for again
 */

/** Events: `come`, `changed` {rx, rz, tile}; `go` {rx, rz}; `state` {rx, rz, state}. */
export class Tiles extends Emitter {
  #world;
  #reach;
  #places = /** @type {Map<string, Place>} */ (new Map());
  #coming = 0;

  /**
   * @param {import("worldloom").World} world
   * @param {() => number} reach how far one sees, in regions each way
   */
  constructor(world, reach) {
    super();
    this.#world = world;
    this.#reach = reach;
    world.on("region", ({ rx, rz }) => this.#told(rx, rz));
    world.on("edited", ({ rx, rz }) => this.#told(rx, rz));
    world.on("resumed", () => this.look());
    for (const { rx, rz } of world.land.regions.values()) this.#told(rx, rz);
    setInterval(() => this.look(), LOOK_MS);
  }

  /** Whether something is still on its way. */
  get busy() { return this.#coming > 0; }

  /** @param {number} rx @param {number} rz @returns {Tile | undefined} */
  tile(rx, rz) {
    return this.#places.get(`${rx},${rz}`)?.tile;
  }

  /** @param {number} x metres @param {number} z @returns {number | undefined} metres */
  ground(x, z) {
    return this.tile(Math.floor(x / REGION_M), Math.floor(z / REGION_M))?.ground(x, z);
  }

  /** @returns {Iterable<Tile>} */
  * all() {
    for (const { tile } of this.#places.values()) if (tile) yield tile;
  }

  /** @param {number} rx @param {number} rz @returns {State} */
  state(rx, rz) {
    const place = this.#places.get(`${rx},${rz}`);
    if (place?.tile) return "here";
    if (place?.failures) return "bad";
    const region = this.#world.land.regions.get(`${rx},${rz}`);
    if (!region) return "unknown";
    return region.state === RegionState.WOVEN ? "coming" : "weaving";
  }

  /** Ask for what is missing, nearest first; let go of what is far. */
  look() {
    const { x, z } = this.#world.me;
    const [rx, rz] = [Math.floor(x / REGION_M), Math.floor(z / REGION_M)];
    const reach = this.#reach();
    /** @param {Place} place */
    const far = (place) => Math.max(Math.abs(place.rx - rx), Math.abs(place.rz - rz));
    for (const place of [...this.#places.values()]) if (far(place) > reach + SLACK) this.#drop(place);
    for (const region of this.#world.land.regions.values()) {
      const key = `${region.rx},${region.rz}`;
      if (this.#places.has(key) || far(/** @type {any} */ (region)) > reach) continue;
      this.#places.set(key, { rx: region.rx, rz: region.rz, coming: false, failures: 0, againAt: 0, stale: true });
      this.#state(region.rx, region.rz);
    }
    const now = performance.now();
    const wanted = [...this.#places.values()].filter((one) => one.stale && !one.coming && one.againAt <= now);
    /** @param {Place} place squared metres from you to the region's middle */
    const away = (place) => ((place.rx + 0.5) * REGION_M - x) ** 2 + ((place.rz + 0.5) * REGION_M - z) ** 2;
    wanted.sort((one, other) => away(one) - away(other));
    for (const place of wanted.slice(0, MOST_COMING - this.#coming)) void this.#fetch(place);
  }

  /** @param {number} rx @param {number} rz */
  #told(rx, rz) {
    const place = this.#places.get(`${rx},${rz}`);
    if (place) Object.assign(place, { stale: true, againAt: 0 });
    this.look();
    this.#state(rx, rz);
  }

  /** @param {Place} place */
  async #fetch(place) {
    const { rx, rz } = place;
    Object.assign(place, { coming: true, stale: false });
    this.#coming++;
    try {
      const tile = await this.#world.tile(rx, rz);
      if (tile) this.#came(place, tile);
    } catch (error) {
      place.failures++;
      place.stale = true;
      place.againAt = performance.now() + Math.min(FIRST_RETRY_MS * 2 ** (place.failures - 1), LAST_RETRY_MS);
      // A warning: the page goes on, and tries again.
      console.warn(`the land of region (${rx}, ${rz}) did not come`, error);
      this.#state(rx, rz);
    } finally {
      place.coming = false;
      this.#coming--;
    }
    this.look();
  }

  /** @param {Place} place @param {Tile} tile */
  #came(place, tile) {
    const { rx, rz } = place;
    // Meanwhile one may have walked away.
    if (this.#places.get(`${rx},${rz}`) !== place || place.tile === tile) return;
    const first = !place.tile;
    Object.assign(place, { tile, failures: 0 });
    this.emit(first ? "come" : "changed", { rx, rz, tile });
    if (first) this.#state(rx, rz);
  }

  /** @param {Place} place */
  #drop({ rx, rz, tile }) {
    this.#places.delete(`${rx},${rz}`);
    if (tile) this.emit("go", { rx, rz });
  }

  /** @param {number} rx @param {number} rz */
  #state(rx, rz) {
    this.emit("state", { rx, rz, state: this.state(rx, rz) });
  }
}

/** @param {import("../app/app.js").App} app */
export function install(app) {
  app.settings.define({
    name: "view", title: "View distance", hint: "In regions of 256 m", group: "picture", kind: "range",
    from: 1, to: 4, step: 1, initial: 3,
  });
  const tiles = new Tiles(app.world, () => app.settings.get("view"));
  app.settings.on("changed", ({ name }) => { if (name === "view") tiles.look(); });
  app.tiles = tiles;
  tiles.look();
}
