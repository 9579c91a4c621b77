/** The land around: what is told of regions, their tiles and what people changed, fetched when somebody asks. */
import { Ground } from "./ground.js";
import { MOST_OVERLAY_BYTES, readOverlay } from "./overlay.js";
import { sha256 } from "./sha256.js";
import { MOST_TILE_BYTES, readTile } from "./tiles.js";
import { RegionState } from "./units.js";

const MOST_REGIONS = 4096;
const MOST_TILES = 64;
const TRIES = 5;
const FETCH_MS = 20_000;
/** News follow an answer within a tick; who walked away meanwhile gets none. */
const TOLD_WITHIN_MS = 2_000;

/** @typedef {{ rx: number, rz: number, state: number, sha256: string, source: string, overlay: number }} Region */
/** @typedef {import("./tiles.js").Tile} Tile */
/** @typedef {import("./overlay.js").Edit} Edit */
/** @typedef {import("./results.js").Edited} Edited */

export class Land {
  /** What is known, by "rx,rz". @type {Map<string, Region>} */
  regions = new Map();
  #grounds = /** @type {Map<string, Ground>} */ (new Map());
  #coming = /** @type {Map<string, Promise<Tile>>} */ (new Map());
  #expecting = /** @type {Set<() => void>} */ (new Set());
  #base;
  #fetch;

  /**
   * @param {string} base of the server's HTTP, without a slash at its end
   * @param {typeof fetch} fetcher
   */
  constructor(base, fetcher) {
    this.#base = base;
    this.#fetch = fetcher;
  }

  /** @param {Region} region */
  tell(region) {
    const key = `${region.rx},${region.rz}`;
    // A woven region's tile stays as it is.
    if (this.regions.get(key)?.state === RegionState.WOVEN && region.state !== RegionState.WOVEN) return;
    keep(this.regions, key, region, MOST_REGIONS);
    this.#grounds.get(key)?.woven(region.overlay);
    this.#news();
  }

  /** Somebody changed the ground. @param {Edit} edit */
  edited(edit) {
    const key = `${edit.rx},${edit.rz}`;
    const region = this.regions.get(key);
    if (!region) return;
    this.regions.set(key, { ...region, overlay: Math.max(region.overlay, edit.version) });
    this.#grounds.get(key)?.edited(edit);
    this.#news();
  }

  /** A new session: what was changed may have changed unheard. The server tells of the regions anew. */
  startAnew() {
    this.regions.clear();
    for (const ground of this.#grounds.values()) ground.forget();
    this.#news();
  }

  /** Until these are told, of regions of which anything is; not for long. @param {Edited[]} versions */
  async told(versions) {
    const missing = () => versions.some(({ rx, rz, version }) => {
      const region = this.regions.get(`${rx},${rz}`);
      return region !== undefined && region.overlay < version;
    });
    if (!missing()) return;
    await new Promise((resolve) => {
      const look = () => {
        if (missing()) return;
        clearTimeout(timer);
        this.#expecting.delete(look);
        resolve(undefined);
      };
      const timer = setTimeout(() => {
        this.#expecting.delete(look);
        resolve(undefined);
      }, TOLD_WITHIN_MS);
      this.#expecting.add(look);
    });
  }

  /** The land as it is. @param {number} rx @param {number} rz @returns {Tile | undefined} if it is here already */
  known(rx, rz) {
    return this.#grounds.get(`${rx},${rz}`)?.tile;
  }

  /**
   * The land as it is: a tile does not change, after an edit this gives another.
   *
   * @param {number} rx
   * @param {number} rz
   * @returns {Promise<Tile | null>} null: nothing is told of that region, or it is being made
   */
  tile(rx, rz) {
    const key = `${rx},${rz}`;
    const ground = this.#grounds.get(key);
    if (ground?.tile) {
      keep(this.#grounds, key, ground, MOST_TILES);
      return Promise.resolve(ground.tile);
    }
    const region = this.regions.get(key);
    if (!region || region.state !== RegionState.WOVEN || !/^[0-9a-f]{64}$/.test(region.sha256)) {
      return Promise.resolve(null);
    }
    let coming = this.#coming.get(key);
    if (!coming) {
      // One waits per region that is told of, so these are bounded by the regions.
      coming = this.#load(region).finally(() => this.#coming.delete(key));
      this.#coming.set(key, coming);
    }
    return coming;
  }

  /** @param {Region} region @returns {Promise<Tile>} */
  async #load(region) {
    const key = `${region.rx},${region.rz}`;
    const ground = this.#grounds.get(key) ?? new Ground(await this.#made(region));
    if (!this.#grounds.has(key)) {
      // What was told meanwhile is in the region.
      ground.woven(this.regions.get(key)?.overlay ?? region.overlay);
      keep(this.#grounds, key, ground, MOST_TILES);
    }
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      if (ground.tile) return ground.tile;
      const bytes = await this.#get(`${this.#base}/overlay/${region.rx}/${region.rz}`, MOST_OVERLAY_BYTES);
      const overlay = await readOverlay(bytes);
      if (overlay.rx !== region.rx || overlay.rz !== region.rz) throw new Error(`expected the overlay of (${key})`);
      ground.fetched(overlay);
    }
    throw new Error(`region (${key}): expected version ${ground.told} of its overlay, got an earlier one`);
  }

  /** @param {Region} region @returns {Promise<Tile>} */
  async #made(region) {
    const bytes = await this.#get(`${this.#base}/content/${region.sha256}`, MOST_TILE_BYTES);
    const found = await sha256(bytes);
    if (found !== region.sha256) throw new Error(`expected content ${region.sha256}, got ${found}`);
    const tile = await readTile(bytes);
    if (tile.rx !== region.rx || tile.rz !== region.rz) {
      throw new Error(`expected the tile of (${region.rx}, ${region.rz}), got that of (${tile.rx}, ${tile.rz})`);
    }
    return tile;
  }

  #news() {
    for (const look of [...this.#expecting]) look();
  }

  /** @param {string} url @param {number} most bytes @returns {Promise<Uint8Array<ArrayBuffer>>} */
  async #get(url, most) {
    for (let attempt = 1; ; attempt++) {
      let problem;
      let wait = 0;
      try {
        const response = await this.#fetch(url, { signal: AbortSignal.timeout(FETCH_MS) });
        if (response.ok) return await readBounded(response, most);
        await response.body?.cancel();
        problem = new Error(`${url}: HTTP ${response.status}`);
        if (response.status !== 429 && response.status < 500) throw Object.assign(problem, { final: true });
        wait = 1000 * (Number(response.headers.get("retry-after")) || 0);
      } catch (error) {
        if (/** @type {any} */ (error).final) throw error;
        problem = error;
      }
      if (attempt >= TRIES) throw problem;
      const pause = Math.max(Math.min(wait, 30_000), 250 * 2 ** attempt * (0.5 + Math.random()));
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** @param {Response} response @param {number} most @returns {Promise<Uint8Array<ArrayBuffer>>} */
async function readBounded(response, most) {
  const parts = [];
  let length = 0;
  const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body).getReader();
  for (let part; !(part = await reader.read()).done; parts.push(part.value)) {
    length += part.value.length;
    if (length <= most) continue;
    await reader.cancel();
    throw Object.assign(new Error(`${response.url}: over ${most} bytes`), { final: true });
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/**
 * A Map keeps its order: the oldest is first.
 *
 * @template T
 * @param {Map<string, T>} map
 * @param {string} key
 * @param {T} value
 * @param {number} most
 */
function keep(map, key, value, most) {
  map.delete(key);
  map.set(key, value);
  if (map.size > most) map.delete(/** @type {string} */ (map.keys().next().value));
}
