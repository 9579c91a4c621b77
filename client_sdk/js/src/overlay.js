/** Overlays: what people changed on top of the tile of a region, from its bytes. Pure. */
import { WireError } from "./errors.js";
import { SAMPLES, checkRegion, inflate } from "./tiles.js";

/** An overlay has no more bytes than this. */
export const MOST_OVERLAY_BYTES = 34816;
/** As a height: here the tile's own height holds. */
export const GIVEN_BACK = -32768;
/** Samples along one side of an edit. */
export const MOST_SIDE = 32;
/** Metres between two samples. */
export const SAMPLE_M = 2;

const PAYLOAD = 16 + 2 * SAMPLES * SAMPLES;
const MAGIC = 0x014f4c57;
/** Of heights, 1/32 m. */
const LOWEST = -7680;
const HIGHEST = 23040;

/**
 * @typedef {{ rx: number, rz: number, version: number, samples: Int16Array }} Overlay 129 x 129 samples as heights of a
 *   tile lie, in 1/32 m or GIVEN_BACK
 * @typedef {{ rx: number, rz: number, version: number, x: number, z: number, width: number, depth: number,
 *   heights: Int16Array }} Edit the samples of one region that were changed; x and z in samples of the world
 */

/** Where nothing was ever changed. @param {number} rx @param {number} rz @returns {Overlay} */
export function emptyOverlay(rx, rz) {
  return { rx, rz, version: 0, samples: new Int16Array(SAMPLES * SAMPLES).fill(GIVEN_BACK) };
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Promise<Overlay>} rejects with WireError what is no overlay */
export async function readOverlay(bytes) {
  if (bytes.length < 12 || bytes.length > MOST_OVERLAY_BYTES) {
    throw new WireError(`an overlay of ${bytes.length} bytes`);
  }
  const head = new DataView(bytes.buffer, bytes.byteOffset, 8);
  if (head.getUint32(0, true) !== MAGIC) throw new WireError("no overlay of version 1");
  const size = head.getUint32(4, true);
  if (size !== PAYLOAD) throw new WireError(`an overlay's payload of ${size} bytes`);
  const payload = await inflate(bytes.subarray(8), size);
  const view = new DataView(payload.buffer);
  if (view.getUint32(12, true) !== 0) throw new WireError("an overlay's reserved bytes are not zero");
  const [rx, rz] = checkRegion(view.getInt32(0, true), view.getInt32(4, true));
  const samples = new Int16Array(SAMPLES * SAMPLES);
  for (let i = 0; i < samples.length; i++) {
    samples[i] = payload[16 + i] | (payload[16 + samples.length + i] << 8);
    check(samples[i]);
  }
  return { rx, rz, version: view.getUint32(8, true), samples };
}

/**
 * The heights as they are: the tile's, but where the overlay has its own.
 *
 * @param {Int16Array} heights of a tile
 * @param {Overlay} overlay
 * @returns {Int16Array}
 */
export function overlaid(heights, { samples }) {
  return heights.map((height, i) => (samples[i] === GIVEN_BACK ? height : samples[i]));
}

/** @param {Overlay} overlay @param {Edit} edit of the same region @returns {Overlay} as it is then */
export function patched({ rx, rz, samples }, edit) {
  const changed = samples.slice();
  const firstX = edit.x - rx * (SAMPLES - 1);
  const firstZ = edit.z - rz * (SAMPLES - 1);
  for (let z = 0, i = 0; z < edit.depth; z++) {
    for (let x = 0; x < edit.width; x++, i++) changed[(firstZ + z) * SAMPLES + firstX + x] = edit.heights[i];
  }
  return { rx, rz, version: edit.version, samples: changed };
}

/** A TerrainEdited. @param {Record<string, any>} message @returns {Edit} throws WireError */
export function readEdit({ rx, rz, version, x, z, width, depth, heights: bytes }) {
  const [inX, inZ] = [x - rx * (SAMPLES - 1), z - rz * (SAMPLES - 1)];
  const fits = Math.min(width, depth) > 0 && inX >= 0 && inZ >= 0 && inX + width <= SAMPLES && inZ + depth <= SAMPLES;
  if (!fits || bytes.length !== 2 * width * depth) throw new WireError(`no edit of region (${rx}, ${rz})`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const heights = new Int16Array(width * depth).map((_, i) => check(view.getInt16(2 * i, true)));
  return { rx, rz, version, x, z, width, depth, heights };
}

/**
 * The fields of an EditTerrain.
 *
 * @param {number} x metres, a multiple of 2
 * @param {number} z
 * @param {(number | null)[][]} rows along x, of heights in metres; null: as the tile has it
 * @returns {{ x: number, z: number, width: number, depth: number, heights: Uint8Array }} throws RangeError
 */
export function writeEdit(x, z, rows) {
  if (!Array.isArray(rows) || !rows.every(Array.isArray)) throw new RangeError("rows: expected arrays of heights");
  const depth = rows.length;
  const width = rows[0]?.length ?? 0;
  const other = rows.find((row) => row.length !== width);
  if (other) throw new RangeError(`rows: expected rows of one length, got ${width} and ${other.length} heights`);
  if (Math.min(width, depth) < 1 || Math.max(width, depth) > MOST_SIDE) {
    const sides = `1 to ${MOST_SIDE}`;
    throw new RangeError(`rows: expected ${sides} rows of ${sides} heights, got ${depth} of ${width}`);
  }
  const view = new DataView(new ArrayBuffer(2 * width * depth));
  // Spread, for a hole is no height either.
  rows.flatMap((row) => [...row]).forEach((metres, i) => {
    const height = metres === null ? GIVEN_BACK : Math.round(metres * 32);
    if (metres !== null && !(typeof metres === "number" && height >= LOWEST && height <= HIGHEST)) {
      throw new RangeError(`rows: expected -240 to 720 m, or null, got ${metres}`);
    }
    view.setInt16(2 * i, height, true);
  });
  return { x: sample("x", x), z: sample("z", z), width, depth, heights: new Uint8Array(view.buffer) };
}

/** @param {string} name @param {number} metres @returns {number} */
function sample(name, metres) {
  if (!Number.isInteger(metres / SAMPLE_M)) {
    throw new RangeError(`${name}: expected a multiple of ${SAMPLE_M} m, got ${metres}`);
  }
  return metres / SAMPLE_M;
}

/** @param {number} height @returns {number} */
function check(height) {
  if (height !== GIVEN_BACK && (height < LOWEST || height > HIGHEST)) throw new WireError(`a height of ${height}`);
  return height;
}
