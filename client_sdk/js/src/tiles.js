/** Tiles: the land of one region, from its bytes. Pure. */
import { WireError } from "./errors.js";

/** A tile has no more bytes than this. */
export const MOST_TILE_BYTES = 98304;
export const REGION_M = 256;

/** Along one side of a region, both borders included. */
export const SAMPLES = 129;
const LEAST = 49682;
const MOST = 82450;
const MOST_INDEX = 32767;
/** Of heights, 1/32 m. */
const LOWEST = -7680;
const HIGHEST = 23040;
const MAGIC = 0x01544c57;

/** @enum {number} */
export const Surface = Object.freeze({
  SEABED: 0, SAND: 1, PEBBLES: 2, GRASS: 3, MEADOW: 4, HEATH: 5, FOREST: 6, ROCK: 7, SCREE: 8, SNOW: 9, MARSH: 10,
});

/** @enum {number} */
export const ThingKind = Object.freeze({
  CONIFER: 1, BROADLEAF: 2, BIRCH: 3, BUSH: 4, ROCK: 5, DEADWOOD: 6, REED: 7, TUFT: 8, FLOWERS: 9, PALM: 10,
});

/**
 * @typedef {{ kind: number, x: number, z: number, scale: number, yaw: number }} Thing x and z in metres from the
 *   region's low corner, scale 1 is the usual size, yaw in radians
 */

/** The land of one region. */
export class Tile {
  /**
   * @param {number} rx
   * @param {number} rz
   * @param {Int16Array} heights 129 x 129 samples 2 m apart, rows of x, in 1/32 m
   * @param {Uint8Array} surface 128 x 128 classes, rows of x
   * @param {Thing[]} things
   * @param {Record<string, string | number>} provenance
   */
  constructor(rx, rz, heights, surface, things, provenance) {
    this.rx = rx;
    this.rz = rz;
    this.heights = heights;
    this.surface = surface;
    this.things = things;
    this.provenance = provenance;
  }

  /**
   * Height of the ground; under the sea it is below 0.
   *
   * @param {number} x metres in the world
   * @param {number} z
   * @returns {number} metres
   */
  ground(x, z) {
    return groundHeight(this.heights, ...this.#within(x, z));
  }

  /**
   * @param {number} x metres in the world
   * @param {number} z
   * @returns {number} a Surface; one that this version does not know is told as grass
   */
  surfaceAt(x, z) {
    const [inX, inZ] = this.#within(x, z);
    const found = this.surface[Math.min(Math.floor(inZ / 2), 127) * 128 + Math.min(Math.floor(inX / 2), 127)];
    return found > Surface.MARSH ? Surface.GRASS : found;
  }

  /** @param {number} x @param {number} z @returns {[number, number]} */
  #within(x, z) {
    const inX = x - this.rx * REGION_M;
    const inZ = z - this.rz * REGION_M;
    if (!(inX >= 0 && inX <= REGION_M && inZ >= 0 && inZ <= REGION_M)) {
      throw new RangeError(`(${x}, ${z}) is not in region (${this.rx}, ${this.rz})`);
    }
    return [inX, inZ];
  }
}

/**
 * @param {Int16Array} heights
 * @param {number} x metres from the region's low corner, 0 to 256
 * @param {number} z
 * @returns {number} metres
 */
export function groundHeight(heights, x, z) {
  const qx = Math.min(Math.floor(x / 2), SAMPLES - 2);
  const qz = Math.min(Math.floor(z / 2), SAMPLES - 2);
  const fx = x / 2 - qx;
  const fz = z / 2 - qz;
  const at = qz * SAMPLES + qx;
  const near = heights[at];
  const far = heights[at + SAMPLES + 1];
  const side = fx >= fz ? heights[at + 1] : heights[at + SAMPLES];
  return (near + Math.max(fx, fz) * (side - near) + Math.min(fx, fz) * (far - side)) / 32;
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<Tile>} rejects with WireError what is no tile of version 1
 */
export async function readTile(bytes) {
  if (bytes.length < 8 || bytes.length > MOST_TILE_BYTES) throw new WireError(`a tile of ${bytes.length} bytes`);
  const head = new DataView(bytes.buffer, bytes.byteOffset, 8);
  if (head.getUint32(0, true) !== MAGIC) throw new WireError("no tile of version 1");
  const size = head.getUint32(4, true);
  if (size < LEAST || size > MOST) throw new WireError(`a tile's payload of ${size} bytes`);
  const payload = await inflate(bytes.subarray(8), size);
  const view = new DataView(payload.buffer);
  const n = view.getUint16(8, true);
  const p = view.getUint16(10, true);
  if (n > 4096 || p < 2 || p > 4096 || size !== LEAST + 7 * n + p) throw new WireError(`${size} bytes for ${n} things`);
  if (view.getUint32(12, true) !== 0) throw new WireError("a tile's reserved bytes are not zero");
  const [rx, rz] = checkRegion(view.getInt32(0, true), view.getInt32(4, true));
  return new Tile(
    rx, rz, readHeights(payload), payload.slice(33298, LEAST),
    readThings(payload, view, n), readProvenance(payload.subarray(LEAST + 7 * n)),
  );
}

/** @param {number} rx @param {number} rz @returns {[number, number]} throws WireError */
export function checkRegion(rx, rz) {
  if (Math.max(Math.abs(rx), Math.abs(rz)) > MOST_INDEX) throw new WireError(`there is no region (${rx}, ${rz})`);
  return [rx, rz];
}

/**
 * @param {Uint8Array<ArrayBuffer>} packed a zlib stream, and nothing after it
 * @param {number} size
 * @returns {Promise<Uint8Array<ArrayBuffer>>} rejects with WireError
 */
export async function inflate(packed, size) {
  const payload = new Uint8Array(size);
  let filled = 0;
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (filled + value.length > size) throw new WireError("a payload is too long");
      payload.set(value, filled);
      filled += value.length;
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    if (error instanceof WireError) throw error;
    throw new WireError(`a stream: ${/** @type {Error} */ (error).message}`);
  }
  if (filled !== size) throw new WireError("a payload is too short");
  // Some platforms do not say when more follows the stream. Its own end is this sum.
  const end = new DataView(packed.buffer, packed.byteOffset + packed.length - 4, 4).getUint32(0);
  if (end !== adler32(payload)) throw new WireError("a stream does not end where its bytes end");
  return payload;
}

/** @param {Uint8Array} bytes @returns {number} the sum at the end of a zlib stream */
function adler32(bytes) {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

/** @param {Uint8Array} payload @returns {Int16Array} */
function readHeights(payload) {
  const heights = new Int16Array(SAMPLES * SAMPLES);
  for (let z = 0, i = 0; z < SAMPLES; z++) {
    for (let x = 0; x < SAMPLES; x++, i++) {
      const u = payload[16 + i] | (payload[16657 + i] << 8);
      const d = (u >>> 1) ^ -(u & 1);
      const west = x ? heights[i - 1] : 0;
      const north = z ? heights[i - SAMPLES] : 0;
      // Int16Array wraps at 65,536, as the format wants it.
      heights[i] = d + west + north - (x && z ? heights[i - SAMPLES - 1] : 0);
      if (heights[i] < LOWEST || heights[i] > HIGHEST) throw new WireError(`a height of ${heights[i]}`);
    }
  }
  return heights;
}

/** @param {Uint8Array} payload @param {DataView} view @param {number} n @returns {Thing[]} */
function readThings(payload, view, n) {
  const things = [];
  for (let k = 0, x = 0, z = 0; k < n; k++) {
    x = (x + view.getUint16(LEAST + 2 * k, true)) & 0xffff;
    z = (z + view.getUint16(LEAST + 2 * (n + k), true)) & 0xffff;
    const rest = LEAST + 4 * n + k;
    const kind = payload[rest];
    if (x >= 16384 || z >= 16384) throw new WireError(`thing ${k} is out of its region`);
    if (kind < ThingKind.CONIFER || kind > ThingKind.PALM) continue;
    const yaw = (payload[rest + 2 * n] / 256) * 2 * Math.PI;
    things.push({ kind, x: x / 64, z: z / 64, scale: payload[rest + n] / 64, yaw });
  }
  return things;
}

/** @param {Uint8Array} bytes @returns {Record<string, string | number>} */
function readProvenance(bytes) {
  let found;
  try {
    found = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new WireError("a tile's provenance is no JSON");
  }
  if (typeof found !== "object" || !found || Array.isArray(found)) throw new WireError("a provenance is no object");
  return found;
}
