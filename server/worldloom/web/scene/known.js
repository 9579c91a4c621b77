/** Where land is known, and how deep the sea is there: small textures that repeat every 4,096 m, for the shaders. */
import { DataTexture, LinearFilter, RedFormat, RepeatWrapping } from "three";
import { AROUND_M } from "./air.js";

const REGION_M = 256;
const REGIONS = AROUND_M / REGION_M;
/** Nodes of what is known, 64 m apart. */
const NODES = 64;
const PER_REGION = NODES / REGIONS;
/** Texels of the sea, 8 m apart. */
const SEA = 512;
const SEA_PER_REGION = SEA / REGIONS;
const DEEPEST_M = 12;
/** Mist needs so long to clear where land comes, seconds. */
const CLEARS_S = 1.6;

export class Known {
  /** 0 on the border of what is known, 255 from 64 m inside. */
  edges = textureOf(new Uint8Array(NODES * NODES), NODES);
  /** Depth: 255 is 12 m and more. */
  depths = textureOf(new Uint8Array(SEA * SEA).fill(255), SEA);
  /** How clear each region is, 0 to 1, by its slot; those that go are hidden at once. */
  #clear = new Float32Array(REGIONS * REGIONS);
  #goal = new Uint8Array(REGIONS * REGIONS);

  /** @param {number} rx @param {number} rz its ground can be drawn from now on */
  show(rx, rz) {
    this.#goal[slot(rx, rz)] = 1;
  }

  /** @param {number} rx @param {number} rz */
  hide(rx, rz) {
    this.#goal[slot(rx, rz)] = this.#clear[slot(rx, rz)] = 0;
    this.#draw();
  }

  /** @param {number} rx @param {number} rz @param {Int16Array} heights of the tile */
  sound(rx, rz, heights) {
    const data = /** @type {Uint8Array} */ (this.depths.image.data);
    const [x0, z0] = [wrap(rx) * SEA_PER_REGION, wrap(rz) * SEA_PER_REGION];
    for (let z = 0; z < SEA_PER_REGION; z++) {
      for (let x = 0; x < SEA_PER_REGION; x++) {
        // The middle of a texel of 4 x 4 quads is a sample.
        const depth = -heights[(4 * z + 2) * 129 + 4 * x + 2] / 32;
        data[(z0 + z) * SEA + x0 + x] = Math.max(0, Math.min(255, (255 * depth) / DEEPEST_M));
      }
    }
    this.depths.needsUpdate = true;
  }

  /** @param {number} dt seconds */
  frame(dt) {
    let moving = false;
    for (let i = 0; i < this.#clear.length; i++) {
      if (this.#clear[i] >= this.#goal[i]) continue;
      this.#clear[i] = Math.min(1, this.#clear[i] + dt / CLEARS_S);
      moving = true;
    }
    if (moving) this.#draw();
  }

  #draw() {
    const data = /** @type {Uint8Array} */ (this.edges.image.data);
    for (let z = 0, i = 0; z < NODES; z++) {
      // A node on a border is of two regions, one in a corner of four: the least clear of them counts.
      const [south, north] = [Math.floor(z / PER_REGION), Math.floor((z + NODES - 1) / PER_REGION) % REGIONS];
      for (let x = 0; x < NODES; x++, i++) {
        const [east, west] = [Math.floor(x / PER_REGION), Math.floor((x + NODES - 1) / PER_REGION) % REGIONS];
        const here = Math.min(this.#clear[south * REGIONS + east], this.#clear[south * REGIONS + west]);
        const there = Math.min(this.#clear[north * REGIONS + east], this.#clear[north * REGIONS + west]);
        data[i] = 255 * Math.min(here, there);
      }
    }
    this.edges.needsUpdate = true;
  }
}

/** @param {number} region @returns {number} 0 to 15 */
function wrap(region) {
  return ((region % REGIONS) + REGIONS) % REGIONS;
}

/** @param {number} rx @param {number} rz */
function slot(rx, rz) {
  return wrap(rz) * REGIONS + wrap(rx);
}

/** @param {Uint8Array<ArrayBuffer>} data @param {number} side */
function textureOf(data, side) {
  const texture = new DataTexture(data, side, side, RedFormat);
  texture.wrapS = texture.wrapT = RepeatWrapping;
  texture.magFilter = texture.minFilter = LinearFilter;
  texture.unpackAlignment = 1;
  texture.needsUpdate = true;
  return texture;
}
