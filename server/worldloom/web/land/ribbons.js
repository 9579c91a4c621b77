/** Borders as bands that lie on the ground and glow a little upwards: corners for one mesh. */
import { colourOf } from "./colours.js";
import { PARCEL_M, borderOf } from "./parcels.js";

const STEP_M = 2;
const HIGH_M = 1.5;
const WIDE_M = 0.45;
/** Over the ground, which is drawn coarser further away. */
const OVER_M = 0.12;
export const FAR_M = 220;
const MOST = 16_000;
const LINE = 0.95;
const GLOW = 0.42;
/** What every fourth piece has, so that one sees what is offered. @type {Record<string, string>} */
const DASHES = { sale: "#ffffff", auction: "#ffffff", let: "#cfe8ff", leased: "#10171a" };

/** @typedef {{ places: Float32Array, colours: Float32Array, index: Uint32Array }} Bands places in metres from the anchor, colours RGBA */

/**
 * @param {import("./data.js").Estate[]} estates
 * @param {import("./data.js").LandData} land
 * @param {{ x: number, z: number, anchorX: number, anchorZ: number, ground: (x: number, z: number) => number | undefined, strength: number }} how
 *   x, z: who looks, in metres
 * @returns {Bands}
 */
export function bandsOf(estates, land, how) {
  const pieces = estates.flatMap((estate) => piecesOf(estate, land, how)).slice(0, MOST);
  const places = new Float32Array(pieces.length * 18);
  const colours = new Float32Array(pieces.length * 24);
  const index = new Uint32Array(pieces.length * 12);
  for (const [i, { a, b, inX, inZ, colour, near }] of pieces.entries()) {
    const corners = [
      [a.x, a.y, a.z], [b.x, b.y, b.z], [a.x, a.y + HIGH_M, a.z], [b.x, b.y + HIGH_M, b.z],
      [a.x + inX, a.y, a.z + inZ], [b.x + inX, b.y, b.z + inZ],
    ];
    const alphas = [GLOW, GLOW, 0, 0, LINE, LINE];
    for (const [k, corner] of corners.entries()) {
      places.set(corner, 18 * i + 3 * k);
      colours.set([...colour, alphas[k] * near], 24 * i + 4 * k);
    }
    const at = 6 * i;
    index.set([at, at + 1, at + 2, at + 1, at + 3, at + 2, at, at + 4, at + 1, at + 1, at + 4, at + 5], 12 * i);
  }
  return { places, colours, index };
}

/** @param {import("./data.js").Estate} estate @param {import("./data.js").LandData} land @param {Parameters<typeof bandsOf>[2]} how */
function piecesOf(estate, land, { x, z, anchorX, anchorZ, ground, strength }) {
  const plain = linear(colourOf(/** @type {any} */ (estate), land.isMine(estate)));
  const dash = DASHES[land.mark(estate)] ? linear(DASHES[land.mark(estate)]) : plain;
  const pieces = [];
  for (const [x0, z0, x1, z1] of borderOf(estate.runs).map((edge) => edge.map((value) => value * PARCEL_M))) {
    const count = (x1 - x0 + z1 - z0) / STEP_M;
    const [dx, dz] = [(x1 - x0) / count, (z1 - z0) / count];
    for (let i = 0; i < count; i++) {
      const [fromX, fromZ] = [x0 + dx * i, z0 + dz * i];
      const away = Math.hypot(fromX - x, fromZ - z);
      if (away > FAR_M) continue;
      const [low, high] = [ground(fromX, fromZ), ground(fromX + dx, fromZ + dz)];
      if (low === undefined || high === undefined) continue;
      const side = inside(estate, land, fromX + dx / 2, fromZ + dz / 2, dx, dz);
      pieces.push({
        a: { x: fromX - anchorX, y: Math.max(low, 0) + OVER_M, z: fromZ - anchorZ },
        b: { x: fromX + dx - anchorX, y: Math.max(high, 0) + OVER_M, z: fromZ + dz - anchorZ },
        inX: side * Math.sign(dz) * WIDE_M, inZ: side * Math.sign(dx) * WIDE_M, colour: i % 4 === 3 ? dash : plain,
        near: strength * Math.min(1, (1.15 * (FAR_M - away)) / FAR_M),
      });
    }
  }
  return pieces;
}

/**
 * To which side the land lies.
 *
 * @param {import("./data.js").Estate} estate
 * @param {import("./data.js").LandData} land
 * @param {number} x metres, on the border
 * @param {number} z
 * @param {number} dx along it
 * @param {number} dz
 */
function inside(estate, land, x, z, dx, dz) {
  const there = land.owned(Math.floor((x + Math.sign(dz)) / PARCEL_M), Math.floor((z + Math.sign(dx)) / PARCEL_M));
  return there?.estate === estate.estate ? 1 : -1;
}

/** @param {string} colour "#rrggbb" @returns {[number, number, number]} as light */
function linear(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
  return [r, g, b];
}
